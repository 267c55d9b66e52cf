/**
 * Pushes that wait for the outcome of some targets. A target is a device for a unicast, an access worker for a
 * multicast; whichever does not answer within two seconds is `unknown`.
 */
import { MULTICAST_INDEX, type Outcome, OutcomeCode } from './delivery-batch.js';

/** A thread that says nothing for this long may or may not have delivered. */
export const UNKNOWN_AFTER_MS = 2_000;

const MAX_PUSH_ID = 0xffff_ffff;
/** A target that was never handed on. */
export const NO_WORKER = -1;

export interface TargetOutcome {
  readonly code: OutcomeCode;
  readonly members: number;
}

interface PendingPush {
  /** The access worker of each target, or `NO_WORKER`. */
  readonly workers: readonly number[];
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
  #targets = 0;
  #lastId = 0;

  /** Targets that wait for an outcome. */
  get targets(): number {
    return this.#targets;
  }

  /** @param workers the access worker of each target, or `NO_WORKER` */
  begin(workers: readonly number[], nowMs: number): { pushId: number; outcomes: Promise<TargetOutcome[]> } {
    const pushId = this.#nextId();
    let left = 0;
    for (const worker of workers) if (worker !== NO_WORKER) left += 1;
    const outcomes = new Promise<TargetOutcome[]>((resolve) => {
      const pending = { workers, outcomes: new Array<TargetOutcome>(workers.length), sinceMs: nowMs, left, resolve };
      this.#targets += left;
      if (left === 0) this.#finish(pushId, pending, OFFLINE);
      else this.#pushes.set(pushId, pending);
    });
    return { pushId, outcomes };
  }

  /** @param worker who says so */
  settle({ pushId, index, code, members }: Outcome, worker: number): void {
    const pending = this.#pushes.get(pushId);
    if (pending === undefined) return;
    const target = index === MULTICAST_INDEX ? pending.workers.indexOf(worker) : index;
    if (pending.workers[target] !== worker || pending.outcomes[target] !== undefined) return;
    pending.outcomes[target] = members === 0 ? plainOutcome(code) : { code, members };
    pending.left -= 1;
    this.#targets -= 1;
    if (pending.left === 0) this.#finish(pushId, pending, OFFLINE);
  }

  /** Everything older than two seconds. */
  expire(nowMs: number): void {
    for (const [pushId, pending] of this.#pushes) {
      if (nowMs - pending.sinceMs < UNKNOWN_AFTER_MS) return;
      this.#finish(pushId, pending, UNKNOWN);
    }
  }

  /** An access worker is gone: what it did not answer is unknown. */
  workerGone(worker: number): void {
    for (const [pushId, pending] of this.#pushes) {
      pending.workers.forEach((target, index) => {
        if (target === worker) this.settle({ pushId, index, code: OutcomeCode.unknown, members: 0 }, worker);
      });
    }
  }

  #finish(pushId: number, pending: PendingPush, rest: TargetOutcome): void {
    this.#pushes.delete(pushId);
    this.#targets -= pending.left;
    for (let i = 0; i < pending.workers.length; i++) {
      if (pending.outcomes[i] !== undefined) continue;
      pending.outcomes[i] = pending.workers[i] === NO_WORKER ? OFFLINE : rest;
    }
    pending.resolve(pending.outcomes);
  }

  #nextId(): number {
    this.#lastId = this.#lastId === MAX_PUSH_ID ? 1 : this.#lastId + 1;
    return this.#lastId;
  }
}

/** One shared object per code: outcomes of unicasts say nothing else. */
const PLAIN: readonly TargetOutcome[] = Object.values(OutcomeCode).map((code) => ({ code, members: 0 }));

function plainOutcome(code: OutcomeCode): TargetOutcome {
  return PLAIN[code] as TargetOutcome;
}
