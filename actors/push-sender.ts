/**
 * Pushes to connections that are known: one item per worker with the frame once, and the outcomes gathered. Many
 * pushes that come together wait as one, each with its own frame but all under one id, because what waits costs more
 * than what is sent.
 */
import { encodeFrame, FrameType } from '../protocol/index.js';
import { OutcomeCode } from './delivery-batch.js';
import { flagsOf } from './delivery-options.js';
import type { Route } from './engine-ports.js';
import { NO_WORKER, type PendingPushes, type TargetOutcome } from './pending-pushes.js';
import type { DeliveryResult, Push, PushMessage } from './routing-service.js';
import type { WorkerOutbox } from './worker-outbox.js';

/** Targets under one id: what a target's index in a batch can count, less the one that means a multicast. */
const MAX_TARGETS = 0xffff;

export interface PushSenderPorts {
  readonly pending: PendingPushes;
  readonly workers: ReadonlyMap<number, WorkerOutbox>;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  readonly epochMs: () => number;
  readonly onResult: (result: DeliveryResult) => void;
}

/** A connection, where there is one that may be pushed to. */
type Target = Route | undefined;

export class PushSender {
  readonly #ports: PushSenderPorts;

  constructor(ports: PushSenderPorts) {
    this.#ports = ports;
  }

  /** Whether the business may push to this connection, and its worker is there. */
  isReachable(route: Target, businessId: number): route is Route {
    if (route === undefined || !route.grants.includes(businessId)) return false;
    return this.#ports.workers.has(route.connection.worker);
  }

  /**
   * @param frame the encoded message, when it is sent to many such lists
   * @returns one result a route, `offline` where there is none that the business reaches
   */
  async send(routes: readonly Target[], message: PushMessage, frame?: Uint8Array): Promise<DeliveryResult[]> {
    const results: DeliveryResult[] = [];
    for (let from = 0; from < routes.length || from === 0; from += MAX_TARGETS) {
      const part = routes.length <= MAX_TARGETS ? routes : routes.slice(from, from + MAX_TARGETS);
      const { pushId, outcomes } = this.#begin(part, () => message.businessId);
      this.#deliver(pushId, 0, part, message, frame);
      this.#gather(await outcomes, results);
    }
    return results;
  }

  /** @param routes of all devices of all pushes, in their order. @returns per push one result a device */
  async sendMany(pushes: readonly Push[], routes: readonly Target[]): Promise<DeliveryResult[][]> {
    const parts: Promise<DeliveryResult[][]>[] = [];
    let first = 0;
    let from = 0;
    let targets = 0;
    for (let i = 0; i < pushes.length; i++) {
      const own = (pushes[i] as Push).devices.length;
      if (targets > 0 && targets + own > MAX_TARGETS) {
        parts.push(this.#sendTogether(pushes.slice(first, i), routes.slice(from, from + targets)));
        first = i;
        from += targets;
        targets = 0;
      }
      targets += own;
    }
    parts.push(this.#sendTogether(pushes.slice(first), routes.slice(from)));
    return (await Promise.all(parts)).flat();
  }

  /** How a message is treated while it waits, as a batch says it. */
  optionsOf(message: PushMessage): { flags: number; expiresAtMs: number } {
    const { ttlMs = 0 } = message;
    return { flags: flagsOf(message), expiresAtMs: ttlMs === 0 ? 0 : this.#ports.epochMs() + ttlMs };
  }

  async #sendTogether(pushes: readonly Push[], routes: readonly Target[]): Promise<DeliveryResult[][]> {
    const owners: number[] = [];
    for (const { devices, message } of pushes) {
      for (let i = 0; i < devices.length; i++) owners.push(message.businessId);
    }
    const { pushId, outcomes } = this.#begin(routes, (index) => owners[index] as number);
    let at = 0;
    for (const { devices, message } of pushes) {
      const end = at + devices.length;
      if (devices.length === 1) this.#deliverOne(pushId, at, routes[at], message);
      else this.#deliver(pushId, at, routes.slice(at, end), message, undefined);
      at = end;
    }
    const results: DeliveryResult[] = [];
    this.#gather(await outcomes, results);
    let from = 0;
    return pushes.map(({ devices }) => {
      const own = results.slice(from, from + devices.length);
      from += devices.length;
      return own;
    });
  }

  #begin(routes: readonly Target[], businessOf: (index: number) => number) {
    const workers = new Array<number>(routes.length);
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i];
      workers[i] = this.isReachable(route, businessOf(i)) ? route.connection.worker : NO_WORKER;
    }
    return this.#ports.pending.begin(workers, this.#ports.now());
  }

  #deliverOne(pushId: number, index: number, route: Target, message: PushMessage): void {
    const { businessId } = message;
    if (!this.isReachable(route, businessId)) return;
    const { worker, serial } = route.connection;
    const frame = encodeFrame({ type: FrameType.push, ...message });
    const { flags, expiresAtMs } = this.optionsOf(message);
    const item = {
      kind: 'push',
      pushId,
      businessId,
      flags,
      expiresAtMs,
      indexes: [index],
      serials: [serial],
      frame,
    } as const;
    this.#ports.workers.get(worker)?.deliver(item);
  }

  /** @param firstIndex of the first of `routes` under this id */
  #deliver(
    pushId: number,
    firstIndex: number,
    routes: readonly Target[],
    message: PushMessage,
    encoded: Uint8Array | undefined,
  ): void {
    const { businessId } = message;
    const byWorker = new Map<number, { indexes: number[]; serials: number[] }>();
    routes.forEach((route, i) => {
      if (!this.isReachable(route, businessId)) return;
      const { worker, serial } = route.connection;
      const item = byWorker.get(worker) ?? { indexes: [], serials: [] };
      item.indexes.push(firstIndex + i);
      item.serials.push(serial);
      byWorker.set(worker, item);
    });
    if (byWorker.size === 0) return;
    const frame = encoded ?? encodeFrame({ type: FrameType.push, ...message });
    const options = this.optionsOf(message);
    for (const [worker, { indexes, serials }] of byWorker) {
      this.#ports.workers
        .get(worker)
        ?.deliver({ kind: 'push', pushId, businessId, ...options, indexes, serials, frame });
    }
  }

  #gather(outcomes: readonly TargetOutcome[], results: DeliveryResult[]): void {
    for (const { code } of outcomes) {
      const result = DELIVERY_RESULTS[code];
      results.push(result);
      this.#ports.onResult(result);
    }
  }
}

const DELIVERY_RESULTS: Readonly<Record<OutcomeCode, DeliveryResult>> = {
  [OutcomeCode.delivered]: { result: 'delivered' },
  [OutcomeCode.offline]: { result: 'offline' },
  [OutcomeCode.slow]: { result: 'dropped', reason: 'slow' },
  [OutcomeCode.closed]: { result: 'dropped', reason: 'closed' },
  [OutcomeCode.unknown]: { result: 'unknown' },
  [OutcomeCode.overloaded]: { result: 'unknown' },
  [OutcomeCode.expired]: { result: 'expired' },
  [OutcomeCode.shed]: { result: 'dropped', reason: 'overload' },
};
