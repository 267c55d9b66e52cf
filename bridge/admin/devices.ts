import type { HttpApp } from '../../http/index.js';
import { invalid } from '../routes/families.js';
import { type AdminParts, refused, security, tags } from './families.js';
import { devicesAnswer, devicesQuery } from './schemas.js';

/** `GET /v1/admin/devices`: who is online, page by page. */
export function devicesRoute(app: HttpApp, { routing, callers }: AdminParts): void {
  app.route({
    method: 'GET',
    url: '/v1/admin/devices',
    schema: {
      operationId: 'listDevices',
      summary: 'Devices that are online',
      description: 'A device that stays online is listed exactly once, whoever comes and goes between two pages.',
      tags,
      security,
      querystring: devicesQuery,
      response: { 200: devicesAnswer.describe('A page'), ...invalid, ...refused },
    },
    handler: async (request) => {
      const { devices, next } = await routing.listDevices(request.query);
      return {
        devices: devices.map(({ app: name, deviceId, uid, connectionId, businesses, sinceMs }) => ({
          app: name,
          device: deviceId,
          ...(uid === undefined ? {} : { uid }),
          connectionId,
          businesses: callers.businessNames(businesses),
          sinceMs,
        })),
        ...(next === undefined ? {} : { next }),
      };
    },
  });
}
