/**
 * Which connection a device has: logins claim routes, ends release them, refreshes and restarts of the engine restore
 * them, and what a gone node or worker left is swept. Whoever loses a route is closed, on whichever node it is, and
 * every change is told as an event.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CloseCode } from '../protocol/index.js';
import { type ConnectionId, generationOf } from './connection-id.js';
import type { Destination, Destinations } from './destinations.js';
import type { ClaimedRoute, DeviceRoute, NewRoute, Route, RouteStore } from './engine-ports.js';
import { EngineUnavailableError } from './errors.js';
import { RouteBacklog } from './route-backlog.js';
import { connectedEvent, disconnectedEvent, type RouteEvent, replacedEvent, withdrawnEvent } from './route-events.js';
import type { ClaimReply, RestoreReply, RouteClaim, RouteRelease, RouteRestore } from './router-link.js';
import type { WorkerOutbox } from './worker-outbox.js';

const SWEEP_RETRY_MS = 1_000;

/** A connection that is to be closed. */
export interface Closing {
  readonly serial: number;
  readonly code: number;
  readonly reason: string;
}

export interface RouteRegistrarPorts {
  readonly incarnation: string;
  readonly routes: RouteStore;
  readonly destinations: Destinations;
  /** Milliseconds since the Unix epoch. */
  readonly epochMs: () => number;
  readonly onError: (error: unknown) => void;
  readonly onRoute: ((event: RouteEvent) => void) | undefined;
}

export class RouteRegistrar {
  readonly #ports: RouteRegistrarPorts;
  readonly #backlog: RouteBacklog;
  #isStopped = false;

  constructor(ports: RouteRegistrarPorts) {
    this.#ports = ports;
    this.#backlog = new RouteBacklog({
      release: (releases) => this.#release(releases),
      restore: async (routes) => {
        const stands = await this.#restore(routes);
        this.#closeReplaced(routes.filter((_, i) => stands[i] === false));
      },
      takeBack: (claims) => this.#takeBack(claims),
      onError: ports.onError,
    });
  }

  /** What waits for the engine to come back. */
  get backlog(): number {
    return this.#backlog.size;
  }

  stop(): void {
    this.#isStopped = true;
    this.#backlog.stop();
  }

  async claim(worker: WorkerOutbox, claims: readonly RouteClaim[]): Promise<ClaimReply> {
    const { destinations, routes } = this.#ports;
    const wanted = claims.map(({ app, deviceId, uid, grants, serial }): NewRoute => {
      return { app, deviceId, uid, grants, connection: this.#connection(worker, serial) };
    });
    let claimed: ClaimedRoute[];
    try {
      claimed = await routes.claim(wanted);
    } catch (error) {
      if (!(error instanceof EngineUnavailableError)) throw error;
      const { mayHaveArrived } = error;
      if (mayHaveArrived) this.#backlog.keepDoubts(wanted);
      return { isEngineAway: true, mayHaveArrived };
    }
    if (destinations.local(worker.worker) !== worker) {
      await this.release(claimed.map(({ fence }, i) => ({ ...(wanted[i] as NewRoute), fence, code: 0 })));
      throw new Error(`access worker ${worker.worker} is gone`);
    }
    const replaced: Route[] = [];
    claimed.forEach(({ fence, replaced: old }, i) => {
      const route: DeviceRoute = { ...(wanted[i] as NewRoute), fence, sinceMs: sinceMsOf(fence) };
      if (old !== undefined) {
        replaced.push(old);
        this.#tell((atMs) => replacedEvent(route, old, atMs));
      }
      this.#tell((atMs) => connectedEvent(route, route, atMs));
    });
    this.#closeReplaced(replaced);
    return { fences: claimed.map(({ fence }) => fence) };
  }

  /** Never rejects for an engine that is away: then it is done when that is back. */
  async release(releases: readonly RouteRelease[]): Promise<void> {
    for (const release of releases) this.#backlog.forgetRestore(release);
    try {
      await this.#release(releases);
    } catch (error) {
      if (!(error instanceof EngineUnavailableError)) throw error;
      this.#backlog.keepReleases(releases);
    }
  }

  async restore(worker: WorkerOutbox, restores: readonly RouteRestore[]): Promise<RestoreReply> {
    const routes = restores.map(({ app, deviceId, uid, grants, fence, serial }): DeviceRoute => {
      const connection = this.#connection(worker, serial);
      return { app, deviceId, uid, grants, fence, connection, sinceMs: sinceMsOf(fence) };
    });
    try {
      return { stands: await this.#restore(routes) };
    } catch (error) {
      if (!(error instanceof EngineUnavailableError)) throw error;
      this.#backlog.keepRestores(routes);
      return { isEngineAway: true, mayHaveArrived: error.mayHaveArrived };
    }
  }

  /**
   * What a gone node has left, part by part.
   *
   * @throws {EngineUnavailableError} what is left is still there
   */
  async sweep(incarnation: string, isGone: (route: Route) => boolean): Promise<number> {
    let swept = 0;
    await this.#ports.routes.sweep(incarnation, isGone, (routes) => {
      swept += routes.length;
      for (const route of routes) this.#tell((atMs) => disconnectedEvent(route, route, 0, atMs));
    });
    return swept;
  }

  /** What the run of a worker has left that is over; goes on until it is done. @returns how many routes that were */
  async sweepRun({ worker, generation }: { worker: number; generation: number }): Promise<number> {
    for (let swept = 0; ; ) {
      try {
        swept += await this.sweep(
          this.#ports.incarnation,
          ({ connection }) => connection.worker === worker && generationOf(connection.serial) <= generation,
        );
        return swept;
      } catch (error) {
        if (!(error instanceof EngineUnavailableError) || this.#isStopped) throw error;
        await delay(SWEEP_RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /** A business has withdrawn its grant. */
  withdrawn(route: DeviceRoute, businessId: number): void {
    this.#tell((atMs) => withdrawnEvent(route, { ...route, grants: [businessId] }, atMs));
  }

  async #release(releases: readonly RouteRelease[]): Promise<void> {
    const released = await this.#ports.routes.release(releases);
    released.forEach((route, i) => {
      const release = releases[i] as RouteRelease;
      if (route !== undefined) this.#tell((atMs) => disconnectedEvent(release, route, release.code, atMs));
    });
  }

  async #restore(routes: readonly DeviceRoute[]): Promise<boolean[]> {
    const restored = await this.#ports.routes.restore(routes);
    restored.forEach(({ stands, before }, i) => {
      const route = routes[i] as DeviceRoute;
      // An engine that had forgotten was never told of an end, so nobody else was.
      if (stands && before !== undefined && before.fence === route.fence) this.#tellGrants(route, before);
    });
    return restored.map(({ stands }) => stands);
  }

  async #takeBack(claims: readonly NewRoute[]): Promise<void> {
    const found = await this.#ports.routes.lookup(claims);
    const arrived: RouteRelease[] = [];
    found.forEach((route, i) => {
      const { app, deviceId, connection } = claims[i] as NewRoute;
      if (route === undefined || !isSame(route.connection, connection)) return;
      arrived.push({ app, deviceId, fence: route.fence, code: 0 });
    });
    // Nobody was told that they came, so nobody is told that they went.
    if (arrived.length > 0) await this.#ports.routes.release(arrived);
  }

  #closeReplaced(routes: readonly Route[]): void {
    const closings = new Map<Destination, Closing[]>();
    for (const { connection } of routes) {
      const destination = this.#ports.destinations.of(connection);
      if (destination === undefined) continue;
      const own = closings.get(destination) ?? [];
      own.push({ serial: connection.serial, code: CloseCode.replaced, reason: 'a newer login' });
      closings.set(destination, own);
    }
    for (const [destination, connections] of closings) destination.send('closeConnections', { connections });
  }

  /** A token refresh: the businesses that the connection has won or lost learn of it, the others notice nothing. */
  #tellGrants(route: DeviceRoute, before: Route): void {
    const lost = before.grants.filter((id) => !route.grants.includes(id));
    const won = route.grants.filter((id) => !before.grants.includes(id));
    if (lost.length > 0) this.#tell((atMs) => withdrawnEvent(route, { ...route, grants: lost }, atMs));
    if (won.length > 0) this.#tell((atMs) => connectedEvent(route, { ...route, grants: won }, atMs));
  }

  #tell(event: (atMs: number) => RouteEvent): void {
    const { epochMs, onRoute } = this.#ports;
    onRoute?.(event(epochMs()));
  }

  #connection({ worker }: WorkerOutbox, serial: number): ConnectionId {
    return { incarnation: this.#ports.incarnation, worker, serial };
  }
}

/** The moment of the login: a fence is the engine's clock in microseconds. */
function sinceMsOf(fence: number): number {
  return Math.floor(fence / 1_000);
}

function isSame(one: ConnectionId, other: ConnectionId): boolean {
  return one.incarnation === other.incarnation && one.worker === other.worker && one.serial === other.serial;
}
