/**
 * Groups of a business: made and dissolved, looked at, joined and left by the back-end on a device's behalf.
 */
import { z } from 'zod';
import type { HttpApp } from '../../http/index.js';
import { NoSuchGroupError } from '../errors.js';
import type { MembershipResult } from '../routing.js';
import {
  createdAnswer,
  groupAnswer,
  groupParams,
  groupsAnswer,
  membershipAnswer,
  membershipBody,
  pageQuery,
} from '../schemas.js';
import {
  BUSINESS_KEY,
  invalid,
  limited,
  noGroup,
  notServed,
  type RouteParts,
  unauthenticated,
  withBody,
} from './families.js';

const tags = ['groups'];
const security = BUSINESS_KEY;
const url = '/v1/groups/:group';

export function groupRoutes(app: HttpApp, { routing, callers }: RouteParts): void {
  app.route({
    method: 'PUT',
    url,
    schema: {
      operationId: 'createGroup',
      summary: 'Create a group',
      description: 'Takes no body. Creating a group that exists changes nothing.',
      tags,
      security,
      params: groupParams,
      response: {
        200: createdAnswer.describe('It existed'),
        201: createdAnswer.describe('It is new'),
        ...invalid,
        ...unauthenticated,
        ...limited,
      },
    },
    handler: async (request, reply) => {
      const { group } = request.params;
      const created = await routing.createGroup(callers.business(request.subject).id, group);
      return reply.code(created ? 201 : 200).send({ group, created });
    },
  });

  app.route({
    method: 'GET',
    url,
    schema: {
      operationId: 'getGroup',
      summary: 'Look at a group',
      tags,
      security,
      params: groupParams,
      response: { 200: groupAnswer.describe('The group'), ...invalid, ...unauthenticated, ...limited, ...noGroup },
    },
    handler: async (request) => {
      const { group } = request.params;
      const info = await routing.getGroup(callers.business(request.subject).id, group);
      if (info === undefined) throw new NoSuchGroupError(group);
      return { group: info.group, members: info.members, createdAtMs: info.createdAtMs };
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/groups',
    schema: {
      operationId: 'listGroups',
      summary: 'List the groups, page by page',
      description:
        'A group that exists all the while is listed exactly once, whatever comes and goes between two pages.',
      tags,
      security,
      querystring: pageQuery,
      response: { 200: groupsAnswer.describe('A page'), ...invalid, ...unauthenticated, ...limited },
    },
    handler: async (request) => {
      const { after, limit } = request.query;
      const page = await routing.listGroups(callers.business(request.subject).id, { after, limit });
      const groups = page.groups.map(({ group, members, createdAtMs }) => ({ group, members, createdAtMs }));
      return page.next === undefined ? { groups } : { groups, next: page.next };
    },
  });

  app.route({
    method: 'DELETE',
    url,
    schema: {
      operationId: 'dissolveGroup',
      summary: 'Dissolve a group',
      description: 'Ends every membership; the members are told with a GAP frame.',
      tags,
      security,
      params: groupParams,
      response: { 204: z.null().describe('It is gone'), ...invalid, ...unauthenticated, ...limited, ...noGroup },
    },
    handler: async (request, reply) => {
      const { group } = request.params;
      const existed = await routing.dissolveGroup(callers.business(request.subject).id, group);
      if (!existed) throw new NoSuchGroupError(group);
      return reply.code(204).send(null);
    },
  });

  for (const verb of ['join', 'leave'] as const) {
    app.route({
      method: 'POST',
      url: `${url}/${verb}`,
      schema: {
        operationId: `${verb}Group`,
        summary: verb === 'join' ? 'Make devices members' : 'End the membership of devices',
        description:
          'Membership belongs to a device’s session: it needs the device online and ends with its connection.',
        tags,
        security,
        params: groupParams,
        body: membershipBody,
        response: { 200: membershipAnswer.describe('One a device'), ...withBody, ...notServed, ...noGroup },
      },
      handler: async (request) => {
        const { app, devices } = request.body;
        const business = callers.businessFor(request.subject, app);
        const keys = devices.map((deviceId) => ({ app, deviceId }));
        const outcomes =
          verb === 'join'
            ? await routing.joinGroup(business.id, request.params.group, keys)
            : await routing.leaveGroup(business.id, request.params.group, keys);
        return { results: devices.map((device, i) => ({ device, result: outcomes[i] ?? UNANSWERED })) };
      },
    });
  }
}

/** The contract is one result a device; were one missing, nobody could say more. */
const UNANSWERED: MembershipResult = 'unknown';
