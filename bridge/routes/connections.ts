/**
 * What only an app's own back-end may do: close a device's connection, for every business on it.
 */
import type { HttpApp } from '../../http/index.js';
import { AppNotServedError } from '../errors.js';
import { deviceParams, disconnectedAnswer } from '../schemas.js';
import { APP_KEY, invalid, notServed, type RouteParts, unauthenticated } from './families.js';

export function connectionRoutes(app: HttpApp, { routing }: RouteParts): void {
  app.route({
    method: 'DELETE',
    url: '/v1/apps/:app/devices/:device/connection',
    schema: {
      operationId: 'closeConnection',
      summary: "Close a device's connection",
      description: 'Takes the key of the app. The connection closes with 4506 and the client stays away.',
      tags: ['devices'],
      security: APP_KEY,
      params: deviceParams,
      response: { 200: disconnectedAnswer.describe('Done'), ...invalid, ...unauthenticated, ...notServed },
    },
    handler: async (request) => {
      const { app, device } = request.params;
      if (request.subject !== app) throw new AppNotServedError(`app ${request.subject}`, app);
      return { disconnected: await routing.disconnect({ app, deviceId: device }) };
    },
  });
}
