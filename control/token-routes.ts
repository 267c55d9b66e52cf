/**
 * Tokens for an app's back-end, on the private listener: it knows its devices itself and asks with its key. The
 * listener is the bridge's; the composition root mounts this plugin there.
 *
 * @see docs/control.md, "Tokens for a back-end"
 */

import type { Credentials } from '../cluster/index.js';
import type { CurrentConfig } from '../config/index.js';
import { createKeyring, type HttpPlugin, liveKeyring, problemResponses, requireKey } from '../http/index.js';
import type { TokenIssuer } from '../tokens/index.js';
import { AppDirectory } from './app-directory.js';
import { AppNotServedError, DeviceRevokedError, RateLimitedError } from './errors.js';
import { grantsOf, issueToken } from './grants.js';
import { RateLimiter } from './rate-limiter.js';
import { tokenAnswer, tokenRequest } from './schemas.js';

const MAX_BODY_BYTES = 16 * 1024;

export interface TokenRoutesOptions {
  readonly config: CurrentConfig;
  readonly issuer: TokenIssuer;
  readonly credentials: Credentials;
  /** Milliseconds of a clock that does not jump; by default the process's. */
  readonly now?: () => number;
}

/**
 * For `app.register`, which keeps the demand for an app's key to these routes.
 *
 * @throws {SharedKeyError} two apps have a key in common
 */
export function createTokenRoutes({ config, issuer, credentials, now }: TokenRoutesOptions): HttpPlugin {
  const directory = config.derive((inForce) => new AppDirectory(inForce));
  const keyring = config.derive(() => createKeyring(directory().keys()));
  const issued = new RateLimiter({ now });
  // Fails here and not at the first request.
  keyring();
  return async (scope) => {
    requireKey(scope, liveKeyring(keyring));
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
              403: "Another app's key, grants that the app may not give, or a device that was revoked",
              429: 'More tokens than the app may have issued a minute',
            }),
          },
        },
      },
      async (request, reply) => {
        const { app: name, deviceId, uid, businesses, groups, ttlMs = Number.POSITIVE_INFINITY } = request.body;
        const app = directory().find(name);
        if (app === undefined || request.subject !== name) throw new AppNotServedError(request.subject, name);
        if (credentials.isIdentityRevoked(name, deviceId)) throw new DeviceRevokedError();
        const waitMs = issued.take(name, app.config.tokensPerMinute);
        if (waitMs > 0) throw new RateLimitedError('as many tokens as this app may have issued a minute', waitMs);
        const token = await issueToken(issuer, {
          app: name,
          deviceId,
          uid,
          ...grantsOf(app, businesses, groups),
          ttlMs: Math.min(ttlMs, app.config.tokenTtlMs),
        });
        reply.header('cache-control', 'no-store');
        return { ...token, deviceId, app: name };
      },
    );
  };
}
