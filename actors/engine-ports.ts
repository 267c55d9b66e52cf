/**
 * State that outlives a connection, as the router needs it. An engine (`cluster/engines/`) says how it is kept;
 * every method takes a batch where batches are what makes it cheap.
 */
import type { ConnectionId } from './connection-id.js';
import type { DeviceKey } from './ports.js';
import type { GroupStream, RouteRelease } from './router-link.js';

/** Where a device is, fenced by a number that only grows. */
export interface Route {
  readonly connection: ConnectionId;
  readonly fence: number;
  /** Ids of granted businesses. */
  readonly grants: readonly number[];
  readonly uid: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly sinceMs: number;
}

export type NewRoute = DeviceKey & Omit<Route, 'fence'>;

export interface ClaimedRoute {
  readonly fence: number;
  /** Whoever held the device before. */
  readonly replaced: Route | undefined;
}

export interface RouteStore {
  /** Makes each the device's current route, under a new fence number. */
  claim(routes: readonly NewRoute[]): Promise<ClaimedRoute[]>;
  /** Removes routes; one that was claimed anew since stays. */
  release(releases: readonly RouteRelease[]): Promise<void>;
  lookup(devices: readonly DeviceKey[]): Promise<(Route | undefined)[]>;
  /** Takes one business out of a route's grants. @returns whether the route stood and had it */
  withdrawGrant(device: DeviceKey, fence: number, businessId: number): Promise<boolean>;
  /** Removes every route of one access worker, which is gone. @returns how many */
  releaseWorker(incarnation: string, worker: number): Promise<number>;
}

export interface GroupRecord extends GroupStream {
  readonly createdAtMs: number;
}

export interface GroupStore {
  /** @returns whether the group is new */
  create(businessId: number, group: string): Promise<boolean>;
  /** @returns whether the group existed */
  dissolve(businessId: number, group: string): Promise<boolean>;
  get(businessId: number, group: string): Promise<GroupRecord | undefined>;
  /** Takes the next position of the group's stream; `undefined` when there is no such group. */
  nextOffset(businessId: number, group: string): Promise<number | undefined>;
}
