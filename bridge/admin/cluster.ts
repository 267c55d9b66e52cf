import type { HttpApp } from '../../http/index.js';
import { clusterAnswer } from './cluster-schemas.js';
import { type AdminParts, refused, security, tags } from './families.js';

/** `GET /v1/admin/cluster`: all nodes, as this one sees them. */
export function clusterRoute(app: HttpApp, { node }: AdminParts): void {
  app.route({
    method: 'GET',
    url: '/v1/admin/cluster',
    schema: {
      operationId: 'getCluster',
      summary: 'The nodes of the service, as this one sees them',
      tags,
      security,
      response: { 200: clusterAnswer.describe('Now'), ...refused },
    },
    handler: async () => {
      const { nodes, ...status } = node.cluster();
      return { ...status, nodes: nodes.map((each) => ({ ...each, roles: [...each.roles] })) };
    },
  });
}
