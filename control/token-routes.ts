/**
 * Tokens for an app's back-end, on the private listener: it knows its devices itself and asks with its key. The
 * listener is the bridge's; the composition root mounts this plugin there.
 *
 * @see docs/control.md, "Tokens for a back-end"
 */
import type { NodeConfig } from '../config/index.js';
import { createKeyring, type HttpPlugin, problemResponses, requireKey } from '../http/index.js';
import type { TokenIssuer } from '../tokens/index.js';
import { AppDirectory } from './app-directory.js';
import { AppNotServedError } from './errors.js';
import { grantsOf, issueToken } from './grants.js';
import { tokenAnswer, tokenRequest } from './schemas.js';

const MAX_BODY_BYTES = 16 * 1024;

export interface TokenRoutesOptions {
  readonly config: Pick<NodeConfig, 'apps' | 'businesses'>;
  readonly issuer: TokenIssuer;
}

/**
 * For `app.register`, which keeps the demand for an app's key to these routes.
 *
 * @throws {SharedKeyError} two apps have a key in common
 */
export function createTokenRoutes({ config, issuer }: TokenRoutesOptions): HttpPlugin {
  const directory = new AppDirectory(config);
  const keyring = createKeyring(directory.keys());
  return async (scope) => {
    requireKey(scope, keyring);
    scope.post(
      '/v1/tokens',
      {
        bodyLimit: MAX_BODY_BYTES,
        schema: {
          summary: 'A token for a device of the app',
          tags: ['tokens'],
          security: [{ appKey: [] }],
          body: tokenRequest,
          response: {
            200: tokenAnswer,
            ...problemResponses({
              400: 'The body is not in its form, or the grants do not fit a token',
              401: 'No key, or one that nobody has',
              403: "Another app's key, or grants that the app may not give",
            }),
          },
        },
      },
      async (request, reply) => {
        const { app: name, deviceId, uid, businesses, groups, ttlMs = Number.POSITIVE_INFINITY } = request.body;
        const app = directory.find(name);
        if (app === undefined || request.subject !== name) throw new AppNotServedError(request.subject, name);
        const issued = await issueToken(issuer, {
          app: name,
          deviceId,
          uid,
          ...grantsOf(app, businesses, groups),
          ttlMs: Math.min(ttlMs, app.config.tokenTtlMs),
        });
        reply.header('cache-control', 'no-store');
        return { ...issued, deviceId, app: name };
      },
    );
  };
}
