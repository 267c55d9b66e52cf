/**
 * Explanations on the private listener: of an app's devices for its back-end, with the app's key, and of any choice for
 * operators.
 *
 * @see docs/control.md, "Why a device got what it got"
 */
import type { ServiceContext } from '../cluster/index.js';
import {
  createKeyring,
  type HttpApp,
  type HttpPlugin,
  liveKeyring,
  problemResponses,
  requireKey,
} from '../http/index.js';
import { requireAdminKey } from './admin-scope.js';
import { AppDirectory } from './app-directory.js';
import { Chooser } from './choice.js';
import { AppNotServedError } from './errors.js';
import { adminExplainQuery, type Explanation, explainParams, explainQuery, explanation } from './explain-schemas.js';
import { explain } from './explanation.js';
import type { Policies } from './policies/index.js';

/** For `app.register`, which keeps the demand for an app's key to this route. */
export function createExplainRoutes(context: ServiceContext, policies: Policies): HttpPlugin {
  const asker = createAsker(context, policies);
  const keyring = context.current.derive((config) => createKeyring(new AppDirectory(config).keys()));
  return async (scope: HttpApp) => {
    requireKey(scope, liveKeyring(keyring));
    scope.get(
      '/v1/apps/:app/devices/:device/explain',
      {
        schema: {
          operationId: 'explainDevice',
          summary: 'Which access points a device gets, and why',
          description: 'Chooses anew for the attributes in the query, and says where the device is now.',
          tags: ['devices'],
          security: [{ appKey: [] }],
          params: explainParams,
          querystring: explainQuery,
          response: {
            200: explanation.describe('The choice, step by step'),
            ...problemResponses({
              400: 'A name is not in its form',
              401: 'No key, or one that nobody has',
              403: "Another app's key",
            }),
          },
        },
      },
      async (request) => {
        const { app, device } = request.params;
        if (request.subject !== app) throw new AppNotServedError(request.subject, app);
        return asker(app, device, textsOf(request.query));
      },
    );
  };
}

/** The same for operators; hidden as the rest of the admin API while there is no admin key. */
export function createAdminExplainRoutes(context: ServiceContext, policies: Policies): HttpPlugin {
  const asker = createAsker(context, policies);
  return async (scope: HttpApp) => {
    requireAdminKey(scope, context);
    scope.get(
      '/v1/admin/explain',
      {
        schema: {
          operationId: 'explainChoice',
          summary: 'Which access points a client gets, and why',
          description: 'For the attributes in the query; with `app` and `device` also where that device is.',
          tags: ['admin'],
          security: [{ adminKey: [] }],
          querystring: adminExplainQuery,
          response: {
            200: explanation.describe('The choice, step by step'),
            ...problemResponses({
              400: 'A name is not in its form',
              401: 'No key, or one that is not an admin key',
              404: 'This node has no admin key and so no admin API',
            }),
          },
        },
      },
      async (request) => {
        const { app, device, ...attributes } = request.query;
        return asker(app, device, textsOf(attributes));
      },
    );
  };
}

type Asker = (
  app: string | undefined,
  device: string | undefined,
  query: Record<string, string>,
) => Promise<Explanation>;

/** What a query says of a client, beside what the client says of itself. */
function createAsker(context: ServiceContext, policies: Policies): Asker {
  const chooser = new Chooser(context, policies);
  const directory = context.current.derive((config) => new AppDirectory(config));
  return (app, deviceId, { businesses: granted, address, ...attributes }) => {
    const serving = (app === undefined ? undefined : directory().find(app)?.businesses) ?? [];
    const businesses = granted === undefined ? serving : granted.split(',').filter((name) => name !== '');
    return explain({ app, deviceId, businesses, attributes, address }, chooser, context);
  };
}

/** Without what the query left out. */
function textsOf(query: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(given);
}
