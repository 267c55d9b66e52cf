import type { HttpApp } from '../../http/index.js';
import { invalid } from '../routes/families.js';
import { NoSuchBusinessError } from './errors.js';
import { type AdminParts, refused, security, tags } from './families.js';
import { groupsAnswer, groupsQuery } from './schemas.js';

/** `GET /v1/admin/groups`: a business's groups, page by page. */
export function groupsRoute(app: HttpApp, { routing, callers }: AdminParts): void {
  app.route({
    method: 'GET',
    url: '/v1/admin/groups',
    schema: {
      operationId: 'listGroupsOfBusiness',
      summary: 'Groups of a business',
      tags,
      security,
      querystring: groupsQuery,
      response: { 200: groupsAnswer.describe('A page'), ...invalid, ...refused },
    },
    handler: async (request) => {
      const { business: name, ...page } = request.query;
      const business = callers.findBusiness(name);
      if (business === undefined) throw new NoSuchBusinessError(name);
      const { groups, next } = await routing.listGroups(business.id, page);
      return { groups: [...groups], ...(next === undefined ? {} : { next }) };
    },
  });
}
