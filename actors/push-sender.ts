/**
 * Pushes to connections that are known: one item per access worker with the frame once, whichever node it is on, and
 * the outcomes gathered. Many pushes that come together wait as one, each with its own frame but all under one id,
 * because what waits costs more than what is sent.
 */
import { encodeFrame, FrameType } from '../protocol/index.js';
import { flagsOf } from './delivery-options.js';
import type { Destination, Destinations } from './destinations.js';
import type { Route } from './engine-ports.js';
import { OutcomeCode } from './outcome-batch.js';
import { NO_DESTINATION, type PendingPushes, type TargetOutcome } from './pending-pushes.js';
import type { DeliveryResult, Push, PushMessage } from './routing-service.js';

/** Targets under one id: what a target's index in a batch can count, less the one that means a multicast. */
const MAX_TARGETS = 0xffff;

export interface PushSenderPorts {
  readonly pending: PendingPushes;
  readonly destinations: Pick<Destinations, 'of'>;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  readonly epochMs: () => number;
  readonly onResult: (result: DeliveryResult) => void;
}

type FoundRoute = Route | undefined;

/** Where a connection is, where there is one that may be pushed to. */
interface Target {
  readonly destination: Destination;
  readonly serial: number;
}

export class PushSender {
  readonly #ports: PushSenderPorts;

  constructor(ports: PushSenderPorts) {
    this.#ports = ports;
  }

  /** Where a connection leads that the business may reach. */
  reach(route: FoundRoute, businessId: number): Destination | undefined {
    if (route === undefined || !route.grants.includes(businessId)) return undefined;
    return this.#ports.destinations.of(route.connection);
  }

  /** Whether the business may push to this connection, and it can be reached. */
  isReachable(route: FoundRoute, businessId: number): route is Route {
    return this.reach(route, businessId) !== undefined;
  }

  /**
   * @param frame the encoded message, when it is sent to many such lists
   * @returns one result a route, `offline` where there is none that the business reaches
   */
  async send(routes: readonly FoundRoute[], message: PushMessage, frame?: Uint8Array): Promise<DeliveryResult[]> {
    const results: DeliveryResult[] = [];
    for (let from = 0; from < routes.length || from === 0; from += MAX_TARGETS) {
      const part = routes.length <= MAX_TARGETS ? routes : routes.slice(from, from + MAX_TARGETS);
      const targets = part.map((route) => this.#target(route, message.businessId));
      const { pushId, outcomes } = this.#begin(targets);
      this.#deliver(pushId, 0, targets, message, frame);
      this.#gather(await outcomes, results);
    }
    return results;
  }

  /** @param routes of all devices of all pushes, in their order. @returns per push one result a device */
  async sendMany(pushes: readonly Push[], routes: readonly FoundRoute[]): Promise<DeliveryResult[][]> {
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
  #optionsOf(message: PushMessage): { flags: number; expiresAtMs: number } {
    const { ttlMs = 0 } = message;
    return { flags: flagsOf(message), expiresAtMs: ttlMs === 0 ? 0 : this.#ports.epochMs() + ttlMs };
  }

  async #sendTogether(pushes: readonly Push[], routes: readonly FoundRoute[]): Promise<DeliveryResult[][]> {
    const targets: (Target | undefined)[] = [];
    for (const { devices, message } of pushes) {
      for (let i = 0; i < devices.length; i++) targets.push(this.#target(routes[targets.length], message.businessId));
    }
    const { pushId, outcomes } = this.#begin(targets);
    let at = 0;
    for (const { devices, message } of pushes) {
      const end = at + devices.length;
      if (devices.length === 1) this.#deliverOne(pushId, at, targets[at], message);
      else this.#deliver(pushId, at, targets.slice(at, end), message, undefined);
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

  #target(route: FoundRoute, businessId: number): Target | undefined {
    const destination = this.reach(route, businessId);
    return destination && { destination, serial: (route as Route).connection.serial };
  }

  #begin(targets: readonly (Target | undefined)[]) {
    const numbers = targets.map((target) => target?.destination.number ?? NO_DESTINATION);
    return this.#ports.pending.begin(numbers, this.#ports.now());
  }

  #deliverOne(pushId: number, index: number, target: Target | undefined, message: PushMessage): void {
    if (target === undefined) return;
    const { businessId } = message;
    const frame = encodeFrame({ type: FrameType.push, ...message });
    const { flags, expiresAtMs } = this.#optionsOf(message);
    const { destination, serial } = target;
    const kind = 'push';
    destination.deliver({ kind, pushId, businessId, flags, expiresAtMs, indexes: [index], serials: [serial], frame });
  }

  /** @param firstIndex of the first of `targets` under this id */
  #deliver(
    pushId: number,
    firstIndex: number,
    targets: readonly (Target | undefined)[],
    message: PushMessage,
    encoded: Uint8Array | undefined,
  ): void {
    const found = new Map<Destination, { indexes: number[]; serials: number[] }>();
    targets.forEach((target, i) => {
      if (target === undefined) return;
      const own = found.get(target.destination);
      if (own === undefined) {
        found.set(target.destination, { indexes: [firstIndex + i], serials: [target.serial] });
      } else {
        own.indexes.push(firstIndex + i);
        own.serials.push(target.serial);
      }
    });
    if (found.size === 0) return;
    const { businessId } = message;
    const frame = encoded ?? encodeFrame({ type: FrameType.push, ...message });
    const options = this.#optionsOf(message);
    for (const [destination, { indexes, serials }] of found) {
      destination.deliver({ kind: 'push', pushId, businessId, ...options, indexes, serials, frame });
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
  [OutcomeCode.unreachable]: { result: 'dropped', reason: 'unreachable' },
};
