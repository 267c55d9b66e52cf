/**
 * Routes of one node, in memory: a map from device to route. Equal grants are kept once, since most devices of
 * an app hold the same.
 */
import type { ClaimedRoute, DeviceKey, NewRoute, Route, RouteRelease, RouteStore } from '../../../actors/index.js';

export class EmbeddedRoutes implements RouteStore {
  readonly #routes = new Map<string, Route>();
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
    const claimed = routes.map(({ app, deviceId, connection, grants, uid, sinceMs }) => {
      const key = keyOf({ app, deviceId });
      const fence = Math.max(this.#lastFence + 1, this.#clockUs());
      this.#lastFence = fence;
      const replaced = this.#routes.get(key);
      this.#routes.set(key, { connection, fence, grants: this.#shared(grants), uid, sinceMs });
      return { fence, replaced };
    });
    return Promise.resolve(claimed);
  }

  release(releases: readonly RouteRelease[]): Promise<void> {
    for (const release of releases) {
      const key = keyOf(release);
      if (this.#routes.get(key)?.fence === release.fence) this.#routes.delete(key);
    }
    return Promise.resolve();
  }

  lookup(devices: readonly DeviceKey[]): Promise<(Route | undefined)[]> {
    return Promise.resolve(devices.map((device) => this.#routes.get(keyOf(device))));
  }

  withdrawGrant(device: DeviceKey, fence: number, businessId: number): Promise<boolean> {
    const key = keyOf(device);
    const route = this.#routes.get(key);
    if (route?.fence !== fence || !route.grants.includes(businessId)) return Promise.resolve(false);
    this.#routes.set(key, { ...route, grants: this.#shared(route.grants.filter((id) => id !== businessId)) });
    return Promise.resolve(true);
  }

  releaseWorker(incarnation: string, worker: number): Promise<number> {
    const before = this.#routes.size;
    for (const [key, { connection }] of this.#routes) {
      if (connection.incarnation === incarnation && connection.worker === worker) this.#routes.delete(key);
    }
    return Promise.resolve(before - this.#routes.size);
  }

  #shared(grants: readonly number[]): readonly number[] {
    const key = grants.join(' ');
    const known = this.#grants.get(key);
    if (known !== undefined) return known;
    this.#grants.set(key, grants);
    return grants;
  }
}

function keyOf({ app, deviceId }: DeviceKey): string {
  return `${app}\0${deviceId}`;
}
