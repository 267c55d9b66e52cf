import { KeysNotDistributedError } from '../../cluster/index.js';
import { type HttpApp, ProblemError, problemResponses } from '../../http/index.js';
import { type AdminParts, refused, security, tags } from './families.js';
import { rotationAnswer } from './schemas.js';

/** `POST /v1/admin/keys/rotate`: another key signs device tokens; those of the former stay good until they expire. */
export function rotateKeysRoute(app: HttpApp, { ports: { rotateKeys } }: AdminParts): void {
  if (rotateKeys === undefined) return;
  app.route({
    method: 'POST',
    url: '/v1/admin/keys/rotate',
    schema: {
      operationId: 'rotateSigningKeys',
      summary: 'Let another key sign device tokens',
      description: 'Takes no body. Tokens of the former key stay good until they expire; then its file is removed.',
      tags,
      security,
      response: {
        200: rotationAnswer.describe('The new key signs'),
        ...refused,
        ...problemResponses({ 503: 'An access worker or another node did not take the new key; the former signs on' }),
      },
    },
    handler: async () => {
      try {
        return await rotateKeys();
      } catch (error) {
        if (!(error instanceof KeysNotDistributedError)) throw error;
        throw new ProblemError(503, error.code, error.message, { cause: error, headers: { 'retry-after': '5' } });
      }
    },
  });
}
