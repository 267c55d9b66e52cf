/**
 * Devices as a business sees them: online or not, and the withdrawal of its grant. A device that was not granted the
 * business is offline to it.
 */

import type { HttpApp } from '../../http/index.js';
import type { Presence } from '../routing.js';
import { appParams, deviceParams, devicesBody, kickedAnswer, presenceAnswer, presencesAnswer } from '../schemas.js';
import { BUSINESS_KEY, invalid, limited, notServed, type RouteParts, unauthenticated, withBody } from './families.js';

const tags = ['devices'];
const security = BUSINESS_KEY;

export function deviceRoutes(app: HttpApp, { routing, callers }: RouteParts): void {
  app.route({
    method: 'GET',
    url: '/v1/apps/:app/devices/:device',
    schema: {
      operationId: 'getPresence',
      summary: 'Whether a device is online',
      tags,
      security,
      params: deviceParams,
      response: {
        200: presenceAnswer.describe('Online or not'),
        ...invalid,
        ...unauthenticated,
        ...limited,
        ...notServed,
      },
    },
    handler: async (request) => {
      const { app, device } = request.params;
      const business = callers.businessFor(request.subject, app);
      const [presence] = await routing.presence(business.id, [{ app, deviceId: device }]);
      return presenceOf(device, presence);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/apps/:app/presence',
    schema: {
      operationId: 'getPresences',
      summary: 'Which of many devices are online',
      tags,
      security,
      params: appParams,
      body: devicesBody,
      response: { 200: presencesAnswer.describe('One a device'), ...withBody, ...notServed },
    },
    handler: async (request) => {
      const { app } = request.params;
      const { devices } = request.body;
      const business = callers.businessFor(request.subject, app);
      const keys = devices.map((deviceId) => ({ app, deviceId }));
      const presences = await routing.presence(business.id, keys);
      return { devices: devices.map((device, i) => presenceOf(device, presences[i])) };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/apps/:app/devices/:device/kick',
    schema: {
      operationId: 'kickDevice',
      summary: 'Withdraw this business from a live connection',
      description: 'Takes no body. The connection and the other businesses on it stay.',
      tags,
      security,
      params: deviceParams,
      response: { 200: kickedAnswer.describe('Done'), ...invalid, ...unauthenticated, ...limited, ...notServed },
    },
    handler: async (request) => {
      const { app, device } = request.params;
      const business = callers.businessFor(request.subject, app);
      return { kicked: await routing.kick(business.id, { app, deviceId: device }) };
    },
  });
}

function presenceOf(device: string, presence: Presence | undefined) {
  if (presence === undefined || !presence.online) return { device, online: false };
  const { connectionId, uid, sinceMs } = presence;
  return { device, online: true, connectionId, uid, sinceMs };
}
