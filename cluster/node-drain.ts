/** How a node asks its clients to go: because it stops, because an operator wants it, because its routes were withdrawn. */
import type { ActorRef } from '../actors/index.js';
import type { NodeConfig } from '../config/index.js';
import { GoAwayReason } from '../protocol/index.js';
import { type DrainTimes, drainConnections, drainTimes } from './drain.js';
import { type DrainRequest, type DrainStarted, startDrain } from './drain-request.js';
import { type DrainTarget, drainTargets } from './drain-targets.js';
import type { NodeLease } from './engines/contract/index.js';
import type { Logger } from './logger.js';

export interface NodeDrainOptions {
  readonly incarnation: string;
  /** In force now. */
  readonly config: () => NodeConfig;
  readonly leases: () => readonly NodeLease[];
  /** Access workers that are up. */
  readonly workers: () => readonly ActorRef[];
  readonly log: Logger;
}

export class NodeDrain {
  readonly #options: NodeDrainOptions;
  #request: DrainRequest = {};

  constructor(options: NodeDrainOptions) {
    this.#options = options;
  }

  /** Keeps what an operator asked for, until the stop. @throws {NoSuchTargetError} */
  ask(request: DrainRequest, connections: number): DrainStarted {
    const targets = this.#targets(request);
    const started = startDrain(request, { config: this.#options.config(), connections, targets });
    this.#request = request;
    return started;
  }

  get times(): DrainTimes {
    return drainTimes(this.#options.config().node.drainMs, this.#request.windowMs);
  }

  /** How much longer than `node.drainMs` the stop takes, since another window was asked for. */
  get moreMs(): number {
    return this.times.windowMs - drainTimes(this.#options.config().node.drainMs).windowMs;
  }

  /** The node stops. Never rejects. */
  leave(): Promise<void> {
    return this.#drain(this.times, GoAwayReason.draining, true, this.#targets(this.#request));
  }

  /** The node stays; its clients have lost their routes. Never rejects. */
  sendAway(): Promise<void> {
    const times = drainTimes(this.#options.config().node.drainMs);
    return this.#drain(times, GoAwayReason.rebalancing, false, this.#targets({}));
  }

  /** Clients may log in again. */
  async readmit(): Promise<void> {
    await Promise.all(this.#options.workers().map((worker) => worker.sendAndReceive('openDoor', {})));
  }

  #targets({ preferNode }: DrainRequest): DrainTarget[] {
    const { incarnation, config, leases } = this.#options;
    const { node, control } = config();
    return drainTargets(leases(), { incarnation, region: node.region, regions: control.regions, preferNode });
  }

  #drain(times: DrainTimes, reason: number, closesListeners: boolean, targets: readonly DrainTarget[]): Promise<void> {
    const { workers, log } = this.#options;
    return drainConnections({ workers: workers(), times, reason, closesListeners, targets, log });
  }
}
