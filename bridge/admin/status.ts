import type { HttpApp } from '../../http/index.js';
import { type AdminParts, refused, security, tags } from './families.js';
import { statusAnswer } from './schemas.js';

/** `GET /v1/admin/status`: the node at a glance. */
export function statusRoute(app: HttpApp, { node }: AdminParts): void {
  app.route({
    method: 'GET',
    url: '/v1/admin/status',
    schema: {
      operationId: 'getNodeStatus',
      summary: 'This node at a glance',
      tags,
      security,
      response: { 200: statusAnswer.describe('Now'), ...refused },
    },
    handler: async () => {
      const status = await node.status();
      return { ...status, limits: { ...status.limits } };
    },
  });
}
