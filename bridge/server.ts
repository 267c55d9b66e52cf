/**
 * The private listener's server: the bridge's routes in three scopes (business key, app key, no key) and whatever the
 * composition root mounts beside them. A node without the role `bridge` serves health, figures and the admin API only.
 */
import type { ServiceContext } from '../cluster/index.js';
import { createHttpServer, describeWithOpenApi, type HttpApp, type HttpPlugin, requireKey } from '../http/index.js';
import type { AdminPorts } from './admin/ports.js';
import { adminRoutes } from './admin/routes.js';
import { Callers } from './callers.js';
import { IdempotentAnswers } from './idempotency.js';
import { MessageFactory } from './message.js';
import { limitRequests, RateLimits } from './rate-limit.js';
import { takeRawBodies } from './raw-message.js';
import { bulkRoutes } from './routes/bulk.js';
import { callRoutes } from './routes/calls.js';
import { connectionRoutes } from './routes/connections.js';
import { deviceRoutes } from './routes/devices.js';
import type { RouteParts } from './routes/families.js';
import { groupRoutes } from './routes/groups.js';
import { operationRoutes } from './routes/operations.js';
import { pushRoutes } from './routes/push.js';
import { userRoutes } from './routes/users.js';

/** Routes of another part on the private listener; they appear in the OpenAPI document and bring their own key check. */
export type BridgePlugin = (context: ServiceContext) => HttpPlugin;

export interface BridgeOptions {
  /** For back-ends: mounted in a node with the role `bridge`. */
  readonly plugins?: readonly BridgePlugin[];
  /** For operators: mounted in every node. */
  readonly adminPlugins?: readonly BridgePlugin[];
  /** Until a bulk push that neither sends nor reads is ended, milliseconds; a minute by default. */
  readonly bulkIdleMs?: number;
  /** What an operator may do beyond looking; by default nothing. */
  readonly admin?: AdminPorts;
}

/** A batch's thousand device ids, at worst with every character escaped. */
const BATCH_ALLOWANCE_BYTES = 512 * 1024;

/** JSON may double a payload: base64 takes a third more, a quoted quote takes two. */
const JSON_GROWTH = 2;

/** @returns a server that does not listen yet */
export async function createBridgeServer(context: ServiceContext, options: BridgeOptions = {}): Promise<HttpApp> {
  const { config, current, log, routing, node } = context;
  const { frameBytes } = config.limits;
  const maxBodyBytes = JSON_GROWTH * frameBytes + BATCH_ALLOWANCE_BYTES;
  const app = createHttpServer({ log, maxBodyBytes, trustedProxies: config.private.trustedProxies });
  const callers = new Callers(current);
  const now = () => performance.now();
  const limits = new RateLimits({
    rateOf: (business) => current.value.businesses[business]?.requestsPerSecond ?? 0,
    now,
  });
  const parts: RouteParts = {
    routing,
    callers,
    messages: new MessageFactory({ maxFrameBytes: frameBytes }),
    answers: new IdempotentAnswers({ now }),
  };

  const servesBackEnds = config.node.roles.includes('bridge');

  await describeWithOpenApi(app, DESCRIPTION);
  if (servesBackEnds) {
    await app.register(async (scope: HttpApp) => {
      requireKey(scope, callers.businessKeys);
      limitRequests(scope, limits);
      groupRoutes(scope, parts);
      deviceRoutes(scope, parts);
      userRoutes(scope, parts);
      callRoutes(scope, parts);
      await scope.register(async (pushes: HttpApp) => {
        takeRawBodies(pushes, frameBytes);
        pushRoutes(pushes, parts);
      });
      await scope.register(async (bulk: HttpApp) => {
        bulk.removeAllContentTypeParsers();
        bulkRoutes(bulk, parts, { maxLineBytes: maxBodyBytes, limits, log, now, idleMs: options.bulkIdleMs });
      });
    });
    await app.register(async (scope: HttpApp) => {
      requireKey(scope, callers.appKeys);
      connectionRoutes(scope, parts);
    });
  }
  const hasAdminKeys = () => current.value.private.adminKeys.length > 0;
  await app.register(async (scope: HttpApp) => {
    adminRoutes(scope, { routing, callers, node, ports: options.admin ?? {} }, hasAdminKeys);
  });
  operationRoutes(app, node, hasAdminKeys);
  const plugins = [...(servesBackEnds ? (options.plugins ?? []) : []), ...(options.adminPlugins ?? [])];
  for (const plugin of plugins) await app.register(plugin(context));
  return app;
}

const DESCRIPTION = {
  title: 'Trunkline bridge',
  version: '1.0.0',
  description:
    'What a business’s back-end does to its devices and groups. The HTTP status is 200 whenever the request was ' +
    'understood; outcomes are in the body. Every error is a problem document (RFC 9457).',
  tags: [
    { name: 'push', description: 'Messages to devices and groups' },
    { name: 'groups', description: 'Named sets of devices' },
    { name: 'devices', description: 'Presence, calls, withdrawal of a grant, closing a connection' },
    { name: 'users', description: 'Presence by user' },
    { name: 'admin', description: 'What operators see and do, with an admin key' },
    { name: 'operations', description: 'Health, figures, this document' },
  ],
  keys: {
    businessKey: 'A key of the business; it reaches the devices of the apps that the business serves',
    appKey: 'A key of the app’s own back-end',
    adminKey: 'A key of `private.adminKeys`, for operators',
  },
};
