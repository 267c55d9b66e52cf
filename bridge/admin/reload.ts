import { type HttpApp, problemResponses } from '../../http/index.js';
import { NoConfigFileError, reloadRefusal } from './errors.js';
import { type AdminParts, refused, security, tags } from './families.js';
import { reloadAnswer } from './schemas.js';

/** `POST /v1/admin/reload`: the configuration is read again, as SIGHUP does. */
export function reloadRoute(app: HttpApp, { ports }: AdminParts): void {
  app.route({
    method: 'POST',
    url: '/v1/admin/reload',
    schema: {
      operationId: 'reloadConfiguration',
      summary: 'Read the configuration again',
      description: 'Takes no body. Refused whole when one setting is wrong or takes a restart; `errors` names each.',
      tags,
      security,
      response: {
        200: reloadAnswer.describe('In force'),
        ...refused,
        ...problemResponses({
          409: 'The file has problems, changes settings that take a restart, or there is none',
          503: 'The node starts or stops',
        }),
      },
    },
    handler: async () => {
      if (ports.reload === undefined) throw new NoConfigFileError();
      try {
        return { changed: (await ports.reload()).changed };
      } catch (error) {
        throw reloadRefusal(error);
      }
    },
  });
}
