/** Where devices are, and what ends their connections, on whichever node they are. */
import { CloseCode } from '../protocol/index.js';
import { formatConnectionId } from './connection-id.js';
import type { Destinations } from './destinations.js';
import type { DeviceRoute, Route, RouteStore } from './engine-ports.js';
import type { DeviceKey } from './ports.js';
import type { PushSender } from './push-sender.js';
import type { Closing, RouteRegistrar } from './route-registrar.js';
import type { DeviceInfo, DevicePage, PageRequest, Presence, UserPresence } from './routing-service.js';

export interface RouterDevicesPorts {
  readonly routes: RouteStore;
  readonly destinations: Destinations;
  readonly sender: PushSender;
  readonly registrar: RouteRegistrar;
}

export class RouterDevices {
  readonly #ports: RouterDevicesPorts;

  constructor(ports: RouterDevicesPorts) {
    this.#ports = ports;
  }

  async presence(businessId: number, devices: readonly DeviceKey[]): Promise<Presence[]> {
    const { routes, sender } = this.#ports;
    const found = await routes.lookup(devices);
    return found.map((route) => (sender.isReachable(route, businessId) ? presenceOf(route) : { online: false }));
  }

  async presenceOfUsers(businessId: number, app: string, uids: readonly string[]): Promise<UserPresence[]> {
    const { routes, sender } = this.#ports;
    const found = await routes.lookupUsers(app, uids);
    return found.map((own, i) => ({
      uid: uids[i] as string,
      devices: own
        .filter((route) => sender.isReachable(route, businessId))
        .map((route) => ({ deviceId: route.deviceId, ...presenceOf(route) })),
    }));
  }

  async list(page: PageRequest & { readonly app?: string | undefined }): Promise<DevicePage> {
    const { routes, next } = await this.#ports.routes.list(page);
    const devices = routes.filter((route) => this.#isOnline(route)).map(infoOf);
    return next === undefined ? { devices } : { devices, next };
  }

  async locate(devices: readonly DeviceKey[]): Promise<(DeviceInfo | undefined)[]> {
    const found = await this.#ports.routes.lookup(devices);
    return found.map((route, i) => {
      return this.#isOnline(route) ? infoOf({ ...(devices[i] as DeviceKey), ...route }) : undefined;
    });
  }

  /** @returns whether there was a grant to withdraw */
  async kick(businessId: number, device: DeviceKey): Promise<boolean> {
    const { registrar, routes, sender } = this.#ports;
    const [route] = await routes.lookup([device]);
    const destination = sender.reach(route, businessId);
    if (route === undefined || destination === undefined) return false;
    const wasGranted = await routes.withdrawGrant(device, route.fence, businessId);
    if (!wasGranted) return false;
    destination.send('revokeGrant', { serial: route.connection.serial, businessId });
    registrar.withdrawn({ ...route, app: device.app, deviceId: device.deviceId }, businessId);
    return true;
  }

  /** @returns whether there was a connection to close */
  async disconnect(device: DeviceKey): Promise<boolean> {
    const { destinations, routes } = this.#ports;
    const [route] = await routes.lookup([device]);
    const destination = route && destinations.of(route.connection);
    if (route === undefined || destination === undefined) return false;
    const closing: Closing = {
      serial: route.connection.serial,
      code: CloseCode.kicked,
      reason: 'closed by the app',
    };
    destination.send('closeConnections', { connections: [closing] });
    return true;
  }

  #isOnline(route: Route | undefined): route is Route {
    return route !== undefined && this.#ports.destinations.of(route.connection) !== undefined;
  }
}

function presenceOf({ connection, uid, sinceMs }: Route): Presence {
  return { online: true, connectionId: formatConnectionId(connection), uid, sinceMs };
}

function infoOf({ app, deviceId, uid, connection, grants: businesses, sinceMs }: DeviceRoute): DeviceInfo {
  return { app, deviceId, uid, connectionId: formatConnectionId(connection), businesses, sinceMs };
}
