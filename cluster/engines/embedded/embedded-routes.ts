/**
 * Routes of one node, in memory: a map from device to route, and beside it an index by user and one that can be
 * listed. Equal grants are kept once, since most devices of an app hold the same.
 */
import { setImmediate } from 'node:timers/promises';
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
import { KeyIndex } from './key-index.js';
import { UserIndex } from './user-index.js';

/** No app's name contains it. */
const CURSOR_SEPARATOR = '/';
const US_PER_MS = 1_000;
/** Routes that a sweep looks at before it lets others have a turn. */
const ROUTES_A_STEP = 5_000;

export class EmbeddedRoutes implements RouteStore {
  readonly #routes = new Map<string, Route>();
  readonly #users = new UserIndex();
  /** Device ids by app. */
  readonly #apps = new Map<string, KeyIndex>();
  readonly #grants = new Map<string, readonly number[]>();
  readonly #clockUs: () => number;
  #lastFence = 0;

  /** @param clockUs microseconds since the Unix epoch: fences grow over restarts, whatever was forgotten */
  constructor(clockUs: () => number) {
    this.#clockUs = clockUs;
  }

  get size(): number {
    return this.#routes.size;
  }

  claim(routes: readonly NewRoute[]): Promise<ClaimedRoute[]> {
    const claimed = routes.map((route) => {
      const replaced = this.#routes.get(keyOf(route.app, route.deviceId));
      const fence = Math.max(this.#lastFence + 1, this.#clockUs(), (replaced?.fence ?? 0) + 1);
      this.#put({ ...route, fence, sinceMs: Math.floor(fence / US_PER_MS) }, replaced);
      return { fence, replaced };
    });
    return Promise.resolve(claimed);
  }

  restore(routes: readonly DeviceRoute[]): Promise<RestoredRoute[]> {
    const restored = routes.map((route) => {
      const before = this.#routes.get(keyOf(route.app, route.deviceId));
      const stands = before === undefined || before.fence <= route.fence;
      if (stands) this.#put({ ...route, sinceMs: Math.floor(route.fence / US_PER_MS) }, before);
      return { stands, before };
    });
    return Promise.resolve(restored);
  }

  release(releases: readonly FencedDevice[]): Promise<(Route | undefined)[]> {
    const released = releases.map((release) => {
      const route = this.#routes.get(keyOf(release.app, release.deviceId));
      if (route?.fence !== release.fence) return undefined;
      this.#remove(release, route);
      return route;
    });
    return Promise.resolve(released);
  }

  lookup(devices: readonly DeviceKey[]): Promise<(Route | undefined)[]> {
    return Promise.resolve(devices.map(({ app, deviceId }) => this.#routes.get(keyOf(app, deviceId))));
  }

  lookupUsers(app: string, uids: readonly string[]): Promise<DeviceRoute[][]> {
    return Promise.resolve(
      uids.map((uid) => [...this.#users.devices(app, uid)].map((deviceId) => this.#located(app, deviceId))),
    );
  }

  list({ app, after, limit }: PageRequest & { readonly app?: string | undefined }): Promise<RoutePage> {
    const [fromApp, fromDevice] = readCursor(after);
    const apps = (app === undefined ? [...this.#apps.keys()] : [app]).sort();
    const routes: DeviceRoute[] = [];
    for (const name of apps) {
      if (fromApp !== undefined && name < fromApp) continue;
      // One more than was asked for tells whether this was the last page.
      const left = limit + 1 - routes.length;
      const ids = this.#apps.get(name)?.page(name === fromApp ? fromDevice : undefined, left) ?? [];
      for (const deviceId of ids) routes.push(this.#located(name, deviceId));
      if (routes.length > limit) break;
    }
    if (routes.length <= limit) return Promise.resolve({ routes });
    routes.pop();
    const last = routes.at(-1);
    return Promise.resolve({ routes, next: `${last?.app ?? ''}${CURSOR_SEPARATOR}${last?.deviceId ?? ''}` });
  }

  withdrawGrant(device: DeviceKey, fence: number, businessId: number): Promise<boolean> {
    const key = keyOf(device.app, device.deviceId);
    const route = this.#routes.get(key);
    if (route?.fence !== fence || !route.grants.includes(businessId)) return Promise.resolve(false);
    this.#routes.set(key, { ...route, grants: this.#shared(route.grants.filter((id) => id !== businessId)) });
    return Promise.resolve(true);
  }

  async sweep(
    incarnation: string,
    isGone: (route: Route) => boolean,
    onReleased: (routes: readonly DeviceRoute[]) => void,
  ): Promise<void> {
    // Keys of now: a route that comes later is nobody's who is gone.
    const keys = [...this.#routes.keys()];
    for (let at = 0; at < keys.length; at += ROUTES_A_STEP) {
      if (at > 0) await setImmediate();
      const released = keys.slice(at, at + ROUTES_A_STEP).flatMap((key) => this.#releaseIf(key, incarnation, isGone));
      if (released.length > 0) onReleased(released);
    }
  }

  #releaseIf(key: string, incarnation: string, isGone: (route: Route) => boolean): DeviceRoute[] {
    const route = this.#routes.get(key);
    if (route?.connection.incarnation !== incarnation || !isGone(route)) return [];
    const [app = '', deviceId = ''] = splitOnce(key, '\0');
    this.#remove({ app, deviceId }, route);
    return [{ app, deviceId, ...route }];
  }

  #put({ app, deviceId, connection, fence, grants, uid, sinceMs }: DeviceRoute, before: Route | undefined): void {
    this.#lastFence = Math.max(this.#lastFence, fence);
    this.#routes.set(keyOf(app, deviceId), { connection, fence, grants: this.#shared(grants), uid, sinceMs });
    if (before === undefined) this.#app(app).add(deviceId);
    if (before?.uid !== undefined && before.uid !== uid) this.#users.delete(app, before.uid, deviceId);
    if (uid !== undefined) this.#users.add(app, uid, deviceId);
  }

  #remove({ app, deviceId }: DeviceKey, { uid }: Route): void {
    this.#routes.delete(keyOf(app, deviceId));
    this.#apps.get(app)?.delete(deviceId);
    if (uid !== undefined) this.#users.delete(app, uid, deviceId);
  }

  /** Of a device that an index has named, and so has a route. */
  #located(app: string, deviceId: string): DeviceRoute {
    return { app, deviceId, ...(this.#routes.get(keyOf(app, deviceId)) as Route) };
  }

  #app(app: string): KeyIndex {
    let index = this.#apps.get(app);
    if (index === undefined) {
      index = new KeyIndex();
      this.#apps.set(app, index);
    }
    return index;
  }

  #shared(grants: readonly number[]): readonly number[] {
    const key = grants.join(' ');
    const known = this.#grants.get(key);
    if (known !== undefined) return known;
    this.#grants.set(key, grants);
    return grants;
  }
}

function readCursor(after: string | undefined): readonly [app?: string, deviceId?: string] {
  return after === undefined ? [] : splitOnce(after, CURSOR_SEPARATOR);
}

/** Only at the first: a device id may contain anything. */
function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function keyOf(app: string, deviceId: string): string {
  return `${app}\0${deviceId}`;
}
