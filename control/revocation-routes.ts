/**
 * Revocation for an app's back-end, on the private listener and with the app's key: of its own tokens and devices only.
 *
 * @see docs/control.md, "Revocation"
 */
import type { Credentials, RevocationRequest } from '../cluster/index.js';
import type { CurrentConfig } from '../config/index.js';
import {
  createKeyring,
  type HttpApp,
  type HttpPlugin,
  liveKeyring,
  problemResponses,
  requireKey,
} from '../http/index.js';
import { AppDirectory } from './app-directory.js';
import { AppNotServedError, revocationRefusal } from './errors.js';
import { liftAnswer, liftParams, type RevocationBody, revocationAnswer, revocationRequest } from './schemas.js';

const MAX_BODY_BYTES = 4 * 1024;
const notSpread = 'Done at this node; the others are told when Redis is back';

export interface RevocationRoutesOptions {
  readonly config: CurrentConfig;
  readonly credentials: Credentials;
}

/**
 * For `app.register`, which keeps the demand for an app's key to these routes.
 *
 * @throws {SharedKeyError} two apps have a key in common
 */
export function createRevocationRoutes({ config, credentials }: RevocationRoutesOptions): HttpPlugin {
  const keyring = config.derive((inForce) => createKeyring(new AppDirectory(inForce).keys()));
  // Fails here and not at the first request.
  keyring();
  return async (scope: HttpApp) => {
    requireKey(scope, liveKeyring(keyring));
    revokeRoute(scope, credentials);
    liftRoute(scope, credentials);
  };
}

function toRevocationRequest({ app, jti, deviceId, identity, beforeMs }: RevocationBody): RevocationRequest {
  if (jti !== undefined) return { kind: 'token', app, jti };
  if (deviceId === undefined) return { kind: 'app', app, beforeMs };
  return identity === true ? { kind: 'identity', app, deviceId } : { kind: 'device', app, deviceId, beforeMs };
}

function revokeRoute(scope: HttpApp, credentials: Credentials): void {
  scope.post(
    '/v1/revocations',
    {
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        operationId: 'revoke',
        summary: 'Take back a token, a device, or everything of the app up to now',
        description:
          'In force on live connections, which close with 4100, when the answer is there, here and within a second on the other nodes.',
        tags: ['tokens'],
        security: [{ appKey: [] }],
        body: revocationRequest,
        response: {
          200: revocationAnswer.describe('In force'),
          ...problemResponses({
            400: 'The body is not in its form',
            401: 'No key, or one that nobody has',
            403: "Another app's key",
            409: 'As many revocations as a node keeps',
            503: notSpread,
          }),
        },
      },
    },
    async (request) => {
      const { app } = request.body;
      if (request.subject !== app) throw new AppNotServedError(request.subject, app);
      try {
        return await credentials.revoke(toRevocationRequest(request.body));
      } catch (error) {
        throw revocationRefusal(error);
      }
    },
  );
}

function liftRoute(scope: HttpApp, credentials: Credentials): void {
  scope.delete(
    '/v1/apps/:app/devices/:device/revocation',
    {
      schema: {
        operationId: 'liftRevocation',
        summary: 'Let a revoked device have tokens again',
        description: 'Tokens that it had before stay revoked.',
        tags: ['tokens'],
        security: [{ appKey: [] }],
        params: liftParams,
        response: {
          200: liftAnswer.describe('Done'),
          ...problemResponses({
            400: 'A name is not in its form',
            401: 'No key, or one that nobody has',
            403: "Another app's key",
            503: notSpread,
          }),
        },
      },
    },
    async (request) => {
      const { app, device } = request.params;
      if (request.subject !== app) throw new AppNotServedError(request.subject, app);
      try {
        return { lifted: await credentials.liftRevocation(app, device) };
      } catch (error) {
        throw revocationRefusal(error);
      }
    },
  );
}
