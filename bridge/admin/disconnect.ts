import type { HttpApp } from '../../http/index.js';
import { invalid } from '../routes/families.js';
import { disconnectedAnswer } from '../schemas.js';
import { type AdminParts, refused, security, tags } from './families.js';
import { deviceParams } from './schemas.js';

/** `POST /v1/admin/apps/{app}/devices/{device}/disconnect`: one device's connection ends, for every business on it. */
export function disconnectRoute(app: HttpApp, { routing }: AdminParts): void {
  app.route({
    method: 'POST',
    url: '/v1/admin/apps/:app/devices/:device/disconnect',
    schema: {
      operationId: 'disconnectDevice',
      summary: "Close a device's connection",
      description: 'Takes no body. The connection closes with 4506 and the client stays away.',
      tags,
      security,
      params: deviceParams,
      response: { 200: disconnectedAnswer.describe('Done'), ...invalid, ...refused },
    },
    handler: async (request) => {
      const { app: name, device } = request.params;
      return { disconnected: await routing.disconnect({ app: name, deviceId: device }) };
    },
  });
}
