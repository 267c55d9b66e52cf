/** What the router is built from. */
import type { Bus, GroupStore, Peers, RouteStore } from './engine-ports.js';
import type { GatherWindow } from './gatherer.js';
import type { RouteEvent } from './route-events.js';
import type { DeliveryResult } from './routing-service.js';

export interface RouterOptions {
  readonly incarnation: string;
  readonly routes: RouteStore;
  readonly groups: GroupStore;
  readonly bus: Bus;
  readonly peers: Peers;
  /** Targets that may wait for an outcome; more is overload. */
  readonly maxPending: number;
  readonly onError: (error: unknown) => void;
  /** How long pushes for one worker or node are gathered; not beyond the turn when absent. */
  readonly gatherWindow?: GatherWindow | undefined;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  /** Milliseconds since the Unix epoch; the system's clock when absent. */
  readonly epochMs?: (() => number) | undefined;
  /** Counts pushes to devices by outcome. */
  readonly onResult: (result: DeliveryResult) => void;
  /** Told of every connection that takes a device's route and loses it. */
  readonly onRoute?: ((event: RouteEvent) => void) | undefined;
}

/** For metrics and the operator. */
export interface RouterFigures {
  /** Targets of pushes, multicasts and calls that wait for an outcome, those of other nodes included. */
  readonly pending: number;
  /** Route changes that wait for the engine to come back. */
  readonly backlog: number;
  /** Messages of other nodes that were dropped because they were not understood. */
  readonly malformed: number;
}
