/**
 * Pushes that wait for the outcome of some targets. A target is a device for a unicast, an access worker for a
 * multicast; whichever does not answer in time is `unknown`. Who answers goes by the number of its destination
 * (`destinations.ts`), so that a worker here and one of another node are the same.
 */
import { createIds } from './ids.js';
import { MULTICAST_INDEX, type Outcome, OutcomeCode } from './outcome-batch.js';

/** A thread or a node that says nothing for this long may or may not have delivered. */
export const UNKNOWN_AFTER_MS = 2_000;

/** A target that was never handed on. */
export const NO_DESTINATION = -1;

export interface TargetOutcome {
  readonly code: OutcomeCode;
  readonly members: number;
}

export interface PendingPushesOptions {
  /** `UNKNOWN_AFTER_MS` when absent. */
  readonly unknownAfterMs?: number;
  /** Where ids come from; whoever answers under the same ids shares it. */
  readonly nextId?: () => number;
}

interface PendingPush {
  /** The destination of each target, or `NO_DESTINATION`. */
  readonly destinations: readonly number[];
  readonly outcomes: TargetOutcome[];
  readonly sinceMs: number;
  left: number;
  readonly resolve: (outcomes: TargetOutcome[]) => void;
}

const OFFLINE: TargetOutcome = { code: OutcomeCode.offline, members: 0 };
const UNKNOWN: TargetOutcome = { code: OutcomeCode.unknown, members: 0 };

export class PendingPushes {
  /** In the order they began, which is the order they expire in. */
  readonly #pushes = new Map<number, PendingPush>();
  readonly #unknownAfterMs: number;
  readonly #nextId: () => number;
  #targets = 0;

  constructor({ unknownAfterMs = UNKNOWN_AFTER_MS, nextId = createIds() }: PendingPushesOptions = {}) {
    this.#unknownAfterMs = unknownAfterMs;
    this.#nextId = nextId;
  }

  /** Targets that wait for an outcome. */
  get targets(): number {
    return this.#targets;
  }

  /** @param destinations of each target, or `NO_DESTINATION` */
  begin(destinations: readonly number[], nowMs: number): { pushId: number; outcomes: Promise<TargetOutcome[]> } {
    const pushId = this.#nextId();
    let left = 0;
    for (const destination of destinations) if (destination !== NO_DESTINATION) left += 1;
    const outcomes = new Promise<TargetOutcome[]>((resolve) => {
      const blank = new Array<TargetOutcome>(destinations.length);
      const pending = { destinations, outcomes: blank, sinceMs: nowMs, left, resolve };
      this.#targets += left;
      if (left === 0) this.#finish(pushId, pending, OFFLINE);
      else this.#pushes.set(pushId, pending);
    });
    return { pushId, outcomes };
  }

  /** @param destination who says so. @returns whether the push is one of these */
  settle({ pushId, index, code, members }: Outcome, destination: number): boolean {
    const pending = this.#pushes.get(pushId);
    if (pending === undefined) return false;
    const target = index === MULTICAST_INDEX ? pending.destinations.indexOf(destination) : index;
    if (pending.destinations[target] !== destination || pending.outcomes[target] !== undefined) return true;
    pending.outcomes[target] = members === 0 ? plainOutcome(code) : { code, members };
    pending.left -= 1;
    this.#targets -= 1;
    if (pending.left === 0) this.#finish(pushId, pending, OFFLINE);
    return true;
  }

  /** Everything whose time is over. */
  expire(nowMs: number): void {
    for (const [pushId, pending] of this.#pushes) {
      if (nowMs - pending.sinceMs < this.#unknownAfterMs) return;
      this.#finish(pushId, pending, UNKNOWN);
    }
  }

  /** A destination is gone: what it did not answer is unknown. */
  gone(destination: number): void {
    for (const [pushId, pending] of this.#pushes) {
      pending.destinations.forEach((target, index) => {
        if (target === destination) this.settle({ pushId, index, code: OutcomeCode.unknown, members: 0 }, destination);
      });
    }
  }

  #finish(pushId: number, pending: PendingPush, rest: TargetOutcome): void {
    this.#pushes.delete(pushId);
    this.#targets -= pending.left;
    for (let i = 0; i < pending.destinations.length; i++) {
      if (pending.outcomes[i] !== undefined) continue;
      pending.outcomes[i] = pending.destinations[i] === NO_DESTINATION ? OFFLINE : rest;
    }
    pending.resolve(pending.outcomes);
  }
}

/** One shared object per code: outcomes of unicasts say nothing else. */
const PLAIN: readonly TargetOutcome[] = Object.values(OutcomeCode).map((code) => ({ code, members: 0 }));

function plainOutcome(code: OutcomeCode): TargetOutcome {
  return PLAIN[code] as TargetOutcome;
}
