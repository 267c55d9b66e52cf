import { type HttpApp, problemResponses } from '../../http/index.js';
import { drainAnswer, drainBody } from './cluster-schemas.js';
import { drainRefusal } from './errors.js';
import { type AdminParts, refused, security, tags } from './families.js';

/** `POST /v1/admin/drain`: this node sends its clients to others and stops. */
export function drainRoute(app: HttpApp, { node }: AdminParts): void {
  app.route({
    method: 'POST',
    url: '/v1/admin/drain',
    schema: {
      operationId: 'drainNode',
      summary: 'Send the clients of this node to others, then stop it',
      description:
        'Answers as the drain begins. Clients are told one after the other over the window; then the node stops as it ' +
        'does on SIGTERM and its process ends with code 0. Only the node that is asked can be drained.',
      tags,
      security,
      body: drainBody,
      response: {
        200: drainAnswer.describe('It drains'),
        ...refused,
        ...problemResponses({
          400: 'The body is not in this form',
          404: 'No other node of that name takes clients, or this node has no admin API',
          413: 'The body is too large',
          503: 'The node starts or stops',
        }),
      },
    },
    handler: async (request) => {
      try {
        return { ...node.drain(request.body ?? {}) };
      } catch (error) {
        throw drainRefusal(error);
      }
    },
  });
}
