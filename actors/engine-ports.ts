/**
 * State that outlives a connection, as the router needs it. An engine (`cluster/engines/`) says how it is kept;
 * every method takes a batch where batches are what makes it cheap.
 *
 * An engine that is not there rejects with an `EngineUnavailableError`, and nothing else is to be expected of it.
 */
import type { ConnectionId } from './connection-id.js';
import type { DeviceKey } from './ports.js';
import type { FencedDevice, GroupSize, GroupStream } from './router-link.js';
import type { PageRequest } from './routing-service.js';

/** Where a device is, fenced by a number that only grows. */
export interface Route {
  readonly connection: ConnectionId;
  readonly fence: number;
  /** Ids of granted businesses. */
  readonly grants: readonly number[];
  readonly uid: string | undefined;
  /** When the device logged in, in milliseconds since the Unix epoch. */
  readonly sinceMs: number;
}

export type NewRoute = DeviceKey & Omit<Route, 'fence' | 'sinceMs'>;

export interface ClaimedRoute {
  readonly fence: number;
  /** Whoever held the device before. */
  readonly replaced: Route | undefined;
}

/** A route, and whose it is. */
export type DeviceRoute = DeviceKey & Route;

export interface RestoredRoute {
  /** False when a newer login holds the device: then nothing was changed. */
  readonly stands: boolean;
  /** What stood there before, be it of the same login. */
  readonly before: Route | undefined;
}

export interface RoutePage {
  readonly routes: readonly DeviceRoute[];
  /** Absent on the last page. */
  readonly next?: string | undefined;
}

export interface RouteStore {
  /** Makes each the device's current route, under a new fence number. `sinceMs` is the engine's clock at that moment. */
  claim(routes: readonly NewRoute[]): Promise<ClaimedRoute[]>;
  /**
   * Puts routes (back) as they are given, fence included, unless a newer one stands: what a token refresh has changed,
   * and what an engine has forgotten.
   */
  restore(routes: readonly DeviceRoute[]): Promise<RestoredRoute[]>;
  /** Removes routes; one that was claimed anew since stays. @returns what each was, if it was there to remove */
  release(releases: readonly FencedDevice[]): Promise<(Route | undefined)[]>;
  lookup(devices: readonly DeviceKey[]): Promise<(Route | undefined)[]>;
  /** The routes of each user's devices. */
  lookupUsers(app: string, uids: readonly string[]): Promise<DeviceRoute[][]>;
  /**
   * Part of all routes, or of one app's, in an order that is the engine's own and never changes: a device that stays
   * is listed exactly once, whoever comes and goes between two pages. A page may be shorter than `limit`, even empty,
   * and not be the last.
   */
  list(page: PageRequest & { readonly app?: string | undefined }): Promise<RoutePage>;
  /** Takes one business out of a route's grants. @returns whether the route stood and had it */
  withdrawGrant(device: DeviceKey, fence: number, businessId: number): Promise<boolean>;
  /**
   * Removes what matches of the routes of a node or of one of its access workers, which is gone: part by part, so that
   * the engine goes on answering others.
   *
   * @param isGone which of the routes of `incarnation` are gone
   * @param onReleased told of each part as it is done
   */
  sweep(
    incarnation: string,
    isGone: (route: Route) => boolean,
    onReleased: (routes: readonly DeviceRoute[]) => void,
  ): Promise<void>;
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
  /**
   * How many members each group has on this node now; 0 takes the node off the group's list.
   *
   * @returns those with members here that do not exist (any more); nothing was kept of them
   */
  setSizes(incarnation: string, sizes: readonly GroupSize[]): Promise<readonly GroupSize[]>;
  /**
   * Members of each group over all nodes.
   *
   * @param standingOf how it is with a node: those of a suspect one are not counted now, what a gone one left is removed
   */
  sizes(
    businessId: number,
    groups: readonly string[],
    standingOf: (incarnation: string) => Standing,
  ): Promise<number[]>;
}

/** What another node, or this one, has sent through the bus. Handlers never throw. */
export interface BusHandlers {
  /** Bytes for this node. */
  onMessage(bytes: Uint8Array): void;
  /** A multicast to a group this node listens to. */
  onMulticast(multicast: BusMulticast): void;
}

export interface BusMulticast {
  readonly businessId: number;
  readonly group: string;
  /** Position in the group's stream. */
  readonly offset: number;
  readonly body: Uint8Array;
}

export interface PublishedMulticast {
  readonly offset: number;
  /** Nodes it was handed to. */
  readonly receivers: number;
}

/** Node to node. What one node sends to another arrives in that order, or not at all. */
export interface Bus {
  /** Begins to receive. */
  open(incarnation: string, handlers: BusHandlers): Promise<void>;
  /**
   * Hands bytes to a node.
   *
   * @returns whether the node took them; false when it is not there, and then it has not got them
   * @throws {EngineUnavailableError} its `mayHaveArrived` tells whether they may have got there all the same
   */
  send(incarnation: string, bytes: Uint8Array): Promise<boolean>;
  /** When it resolves, what is multicast to the group reaches this node. Twice is once. */
  listen(businessId: number, group: string): Promise<void>;
  unlisten(businessId: number, group: string): Promise<void>;
  /**
   * Numbers a multicast and hands it to each node that listens to the group, this one included.
   *
   * @returns `undefined` when there is no such group
   * @throws {EngineUnavailableError} as `send`
   */
  multicast(businessId: number, group: string, body: Uint8Array): Promise<PublishedMulticast | undefined>;
}

/**
 * - `live`     its lease stands
 * - `suspect`  its lease has lapsed, or a message to it found nobody: it may come back to what it left in the engine
 * - `gone`     what it left counts no more
 */
export type Standing = 'live' | 'suspect' | 'gone';

/** Which nodes there are, as the router needs it. */
export interface Peers {
  /** Whether a node may be reached, and has connections of this access worker run. One that nobody has heard of yet may. */
  has(connection: ConnectionId): boolean;
  /** How it is with a node; one that nobody has heard of yet is live until a look says otherwise. */
  standing(incarnation: string): Standing;
  /** A message to this node found nobody. */
  unreachable(incarnation: string): void;
}
