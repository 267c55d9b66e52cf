import type { RevocationRequest } from '../../cluster/index.js';
import { type HttpApp, problemResponses } from '../../http/index.js';
import { invalid, tooLarge, wrongMediaType } from '../routes/families.js';
import { NoSuchAppError, revocationRefusal } from './errors.js';
import { type AdminParts, refused, security, tags } from './families.js';
import { deviceParams, liftAnswer, type RevocationBody, revocationAnswer, revocationBody } from './schemas.js';

const MAX_BODY_BYTES = 4 * 1024;
const notSpread = 'Done at this node; the others are told when Redis is back';

/** `POST /v1/admin/revocations`: takes tokens or a device of any app back. */
export function revokeRoute(app: HttpApp, { callers, ports: { revoke } }: AdminParts): void {
  if (revoke === undefined) return;
  app.route({
    method: 'POST',
    url: '/v1/admin/revocations',
    bodyLimit: MAX_BODY_BYTES,
    schema: {
      operationId: 'revokeAsOperator',
      summary: 'Take back a token, a device, or everything of an app up to now',
      description:
        'In force on live connections, which close with 4100, when the answer is there, here and within a second on the other nodes.',
      tags,
      security,
      body: revocationBody,
      response: {
        200: revocationAnswer.describe('In force'),
        ...invalid,
        ...refused,
        ...tooLarge,
        ...wrongMediaType,
        ...problemResponses({ 409: 'As many revocations as a node keeps', 503: notSpread }),
      },
    },
    handler: async (request) => {
      if (!callers.hasApp(request.body.app)) throw new NoSuchAppError(request.body.app);
      try {
        return await revoke(toRequest(request.body));
      } catch (error) {
        throw revocationRefusal(error);
      }
    },
  });
}

/** `DELETE /v1/admin/apps/{app}/devices/{device}/revocation`: a revoked device may have tokens again. */
export function liftRevocationRoute(app: HttpApp, { ports: { liftRevocation } }: AdminParts): void {
  if (liftRevocation === undefined) return;
  app.route({
    method: 'DELETE',
    url: '/v1/admin/apps/:app/devices/:device/revocation',
    schema: {
      operationId: 'liftRevocationAsOperator',
      summary: 'Let a revoked device have tokens again',
      description: 'Tokens that it had before stay revoked.',
      tags,
      security,
      params: deviceParams,
      response: {
        200: liftAnswer.describe('Done'),
        ...invalid,
        ...refused,
        ...problemResponses({ 503: notSpread }),
      },
    },
    handler: async (request) => {
      const { app: name, device } = request.params;
      try {
        return { lifted: await liftRevocation(name, device) };
      } catch (error) {
        throw revocationRefusal(error);
      }
    },
  });
}

function toRequest({ app, jti, deviceId, identity, beforeMs }: RevocationBody): RevocationRequest {
  if (jti !== undefined) return { kind: 'token', app, jti };
  if (deviceId === undefined) return { kind: 'app', app, beforeMs };
  return identity === true ? { kind: 'identity', app, deviceId } : { kind: 'device', app, deviceId, beforeMs };
}
