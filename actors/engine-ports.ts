/**
 * State that outlives a connection, as the router needs it. An engine (`cluster/engines/`) says how it is kept;
 * every method takes a batch where batches are what makes it cheap.
 */
import type { ConnectionId } from './connection-id.js';
import type { DeviceKey } from './ports.js';
import type { FencedDevice, GroupStream } from './router-link.js';
import type { PageRequest } from './routing-service.js';

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

/** A route, and whose it is. */
export type DeviceRoute = DeviceKey & Route;

export interface RoutePage {
  readonly routes: readonly DeviceRoute[];
  /** Absent on the last page. */
  readonly next?: string | undefined;
}

export interface RouteStore {
  /** Makes each the device's current route, under a new fence number. */
  claim(routes: readonly NewRoute[]): Promise<ClaimedRoute[]>;
  /** Removes routes; one that was claimed anew since stays. @returns what each was, if it was there to remove */
  release(releases: readonly FencedDevice[]): Promise<(Route | undefined)[]>;
  lookup(devices: readonly DeviceKey[]): Promise<(Route | undefined)[]>;
  /** The routes of each user's devices. */
  lookupUsers(app: string, uids: readonly string[]): Promise<DeviceRoute[][]>;
  /**
   * Part of all routes, or of one app's, in an order that is the engine's own and never changes: a device that stays
   * is listed exactly once, whoever comes and goes between two pages.
   */
  list(page: PageRequest & { readonly app?: string | undefined }): Promise<RoutePage>;
  /** Takes one business out of a route's grants. @returns whether the route stood and had it */
  withdrawGrant(device: DeviceKey, fence: number, businessId: number): Promise<boolean>;
  /** Removes every route of one access worker, which is gone. @returns what they were */
  releaseWorker(incarnation: string, worker: number): Promise<DeviceRoute[]>;
}

export interface GroupRecord extends GroupStream {
  readonly createdAtMs: number;
}

export interface NamedGroup {
  readonly group: string;
  readonly createdAtMs: number;
}

export interface GroupNames {
  readonly groups: readonly NamedGroup[];
  /** Absent on the last page. */
  readonly next?: string | undefined;
}

export interface GroupStore {
  /** @returns whether the group is new */
  create(businessId: number, group: string): Promise<boolean>;
  /** @returns whether the group existed */
  dissolve(businessId: number, group: string): Promise<boolean>;
  get(businessId: number, group: string): Promise<GroupRecord | undefined>;
  /** Part of a business's groups, in an order as that of routes. */
  list(businessId: number, page: PageRequest): Promise<GroupNames>;
  /** Takes the next position of the group's stream; `undefined` when there is no such group. */
  nextOffset(businessId: number, group: string): Promise<number | undefined>;
}
