/** Users as a business sees them: the devices that they are online with. */
import type { HttpApp } from '../../http/index.js';
import type { UserPresence } from '../routing.js';
import { appParams, userParams, userPresenceAnswer, userPresencesAnswer, usersBody } from '../schemas.js';
import { BUSINESS_KEY, invalid, limited, notServed, type RouteParts, unauthenticated, withBody } from './families.js';

const tags = ['users'];
const security = BUSINESS_KEY;

export function userRoutes(app: HttpApp, { routing, callers }: RouteParts): void {
  app.route({
    method: 'GET',
    url: '/v1/apps/:app/users/:uid',
    schema: {
      operationId: 'getUserPresence',
      summary: 'Which devices a user is online with',
      tags,
      security,
      params: userParams,
      response: {
        200: userPresenceAnswer.describe('The devices'),
        ...invalid,
        ...unauthenticated,
        ...limited,
        ...notServed,
      },
    },
    handler: async (request) => {
      const { app, uid } = request.params;
      const business = callers.businessFor(request.subject, app);
      const [presence] = await routing.presenceOfUsers(business.id, app, [uid]);
      return presenceOf(uid, presence);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/apps/:app/users/presence',
    schema: {
      operationId: 'getUserPresences',
      summary: 'Which of many users are online, and with which devices',
      tags,
      security,
      params: appParams,
      body: usersBody,
      response: { 200: userPresencesAnswer.describe('One a user'), ...withBody, ...notServed },
    },
    handler: async (request) => {
      const { app } = request.params;
      const { users } = request.body;
      const business = callers.businessFor(request.subject, app);
      const presences = await routing.presenceOfUsers(business.id, app, users);
      return { users: users.map((uid, i) => presenceOf(uid, presences[i])) };
    },
  });
}

function presenceOf(user: string, presence: UserPresence | undefined) {
  const devices = (presence?.devices ?? []).flatMap((device) => {
    if (!device.online) return [];
    const { deviceId, connectionId, sinceMs } = device;
    return [{ device: deviceId, connectionId, sinceMs }];
  });
  return { user, online: devices.length > 0, devices };
}
