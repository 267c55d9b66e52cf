/**
 * Routes in Redis: packed into the buckets of their app (`keys.ts`), changed by scripts that are atomic per device,
 * a batch as one script call per server. The index of users follows after the routes; what a crash leaves undone
 * there is put right when somebody reads it.
 */
import type {
  ClaimedRoute,
  DeviceKey,
  DeviceRoute,
  FencedDevice,
  NewRoute,
  PageRequest,
  RestoredRoute,
  Route,
  RoutePage,
  RouteStore,
} from '../../../actors/index.js';
import { bucketOf, type Keys } from './keys.js';
import { claimScript, releaseScript, restoreScript, swapScript } from './lua/routes.js';
import type { RedisConnection } from './redis-connection.js';
import { RedisUsers, type UserDevice } from './redis-users.js';
import { decodeFence, decodeRoute, encodeFence, encodeIncarnation, encodeRoute, encodeTail } from './route-codec.js';
import { lookUpRoutes } from './route-lookup.js';
import { RouteScan } from './route-scan.js';
import { type ItemArguments, runBatch } from './script-batch.js';

type Packed = Buffer | null;

export class RedisRoutes implements RouteStore {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #users: RedisUsers;
  readonly #scan: RouteScan;
  /** Apps that are known to be listed as having routes. */
  readonly #apps = new Set<string>();

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
    this.#users = new RedisUsers(connection, keys);
    this.#scan = new RouteScan(connection, keys);
    // What comes back may have lost everything.
    connection.onReady(() => this.#apps.clear());
  }

  async claim(routes: readonly NewRoute[]): Promise<ClaimedRoute[]> {
    await this.#nameApps(routes.filter(({ app }) => !this.#apps.has(app)));
    const items = routes.map((route): ItemArguments => {
      const { app, deviceId, connection } = route;
      return [this.#key(app, deviceId), deviceId, encodeIncarnation(connection.incarnation), encodeTail(route)];
    });
    const replies = (await runBatch(this.#connection, claimScript, items, 2)) as Packed[];
    const claimed = routes.map((_, i) => {
      return { fence: decodeFence(replies[2 * i] as Buffer), replaced: read(replies[2 * i + 1]) };
    });
    await this.#users.change(
      routes.flatMap((route, i) => ofUser(route, { ...route, fence: (claimed[i] as ClaimedRoute).fence })),
      routes.flatMap((route, i) => ofOtherUser(route, claimed[i]?.replaced)),
    );
    return claimed;
  }

  async restore(routes: readonly DeviceRoute[]): Promise<RestoredRoute[]> {
    await this.#nameApps(routes);
    const items = routes.map((route): ItemArguments => {
      return [this.#key(route.app, route.deviceId), route.deviceId, encodeRoute(route)];
    });
    const replies = await runBatch(this.#connection, restoreScript, items, 2);
    const restored = routes.map((_, i) => {
      return { stands: replies[2 * i] === 1, before: read(replies[2 * i + 1] as Packed) };
    });
    const standing = (i: number) => restored[i]?.stands === true;
    await this.#users.change(
      routes.flatMap((route, i) => (standing(i) ? ofUser(route, route) : [])),
      routes.flatMap((route, i) => (standing(i) ? ofOtherUser(route, restored[i]?.before) : [])),
    );
    return restored;
  }

  async release(releases: readonly FencedDevice[]): Promise<(Route | undefined)[]> {
    const items = releases.map(({ app, deviceId, fence }): ItemArguments => {
      return [this.#key(app, deviceId), deviceId, encodeFence(fence)];
    });
    const replies = (await runBatch(this.#connection, releaseScript, items, 1)) as Packed[];
    const released = replies.map(read);
    await this.#users.change(
      [],
      releases.flatMap((device, i) => ofUser(device, released[i])),
    );
    return released;
  }

  lookup(devices: readonly DeviceKey[]): Promise<(Route | undefined)[]> {
    return lookUpRoutes(this.#connection, this.#keys, devices);
  }

  async lookupUsers(app: string, uids: readonly string[]): Promise<DeviceRoute[][]> {
    const named = await this.#users.devices(app, uids);
    const flat = named.flat();
    const routes = await this.lookup(flat);
    const found = new Map<UserDevice, DeviceRoute>();
    const stale: UserDevice[] = [];
    flat.forEach((device, i) => {
      const route = routes[i];
      if (route?.uid === device.uid) found.set(device, { app, deviceId: device.deviceId, ...route });
      else stale.push(device);
    });
    await this.#users.change([], stale);
    return named.map((devices) => devices.flatMap((device) => found.get(device) ?? []));
  }

  list(page: PageRequest & { readonly app?: string | undefined }): Promise<RoutePage> {
    return this.#scan.page(page);
  }

  async withdrawGrant({ app, deviceId }: DeviceKey, fence: number, businessId: number): Promise<boolean> {
    const key = this.#key(app, deviceId);
    for (;;) {
      const packed = (await this.#connection.call('hget', key, deviceId)) as Packed;
      const route = read(packed);
      if (packed === null || route?.fence !== fence || !route.grants.includes(businessId)) return false;
      const changed = encodeRoute({ ...route, grants: route.grants.filter((id) => id !== businessId) });
      // Somebody else may have changed the grants in between; then the route is read again.
      if ((await this.#connection.run(swapScript, [key], [deviceId, packed, changed])) === 1) return true;
    }
  }

  sweep(
    incarnation: string,
    isGone: (route: Route) => boolean,
    onReleased: (routes: readonly DeviceRoute[]) => void,
  ): Promise<void> {
    return this.#scan.each(incarnation, async (routes) => {
      const gone = routes.filter(isGone);
      const released = await this.release(gone);
      const done = gone.filter((_, i) => released[i] !== undefined);
      if (done.length > 0) onReleased(done);
    });
  }

  async #nameApps(routes: readonly DeviceKey[]): Promise<void> {
    const names = new Set(routes.map(({ app }) => app));
    if (names.size === 0) return;
    await this.#connection.call('sadd', this.#keys.apps(), ...names);
    for (const name of names) this.#apps.add(name);
  }

  #key(app: string, deviceId: string): string {
    return this.#keys.routes(app, bucketOf(deviceId));
  }
}

function read(packed: Packed | undefined): Route | undefined {
  return packed ? decodeRoute(packed) : undefined;
}

function ofUser({ app, deviceId }: DeviceKey, route: Pick<Route, 'uid' | 'fence'> | undefined): UserDevice[] {
  return route?.uid === undefined ? [] : [{ app, deviceId, uid: route.uid, fence: route.fence }];
}

/** Whose entry the route before has left behind. */
function ofOtherUser(route: DeviceKey & Pick<Route, 'uid'>, before: Route | undefined): UserDevice[] {
  return before?.uid === route.uid ? [] : ofUser(route, before);
}
