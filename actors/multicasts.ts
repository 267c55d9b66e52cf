/**
 * Multicasts of this node, from the publication to the answers. Every node that the bus handed one to answers once,
 * this one as any other; who stays silent is counted.
 */
import type { Bus } from './engine-ports.js';
import { GroupNotFoundError } from './errors.js';
import { createIds } from './ids.js';
import { encodeMulticast } from './multicast-body.js';
import type { MulticastAnswer } from './peer-batch.js';
import type { MulticastResult, PushMessage } from './routing-service.js';

const ANSWER_TIMEOUT_MS = 2_000;

interface Pending {
  readonly sinceMs: number;
  /** Nodes that are to answer; unknown until it is published, by when some have. */
  receivers: number | undefined;
  answers: number;
  workers: number;
  members: number;
  unanswered: number;
  overloaded: number;
  resolve(): void;
}

export interface MulticastsOptions {
  readonly incarnation: string;
  readonly bus: Pick<Bus, 'multicast'>;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  /** Every access worker that was to have it had its queue full. */
  readonly overloaded: () => Error;
}

export class Multicasts {
  readonly #options: MulticastsOptions;
  readonly #nextId = createIds();
  /** In the order they began, which is nearly the order they expire in. */
  readonly #pending = new Map<number, Pending>();

  constructor(options: MulticastsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** @see RoutingService.multicast */
  async send(group: string, message: PushMessage): Promise<MulticastResult> {
    const { bus, incarnation, now, overloaded } = this.#options;
    const id = this.#nextId();
    const counts = { answers: 0, workers: 0, members: 0, unanswered: 0, overloaded: 0 };
    const pending: Pending = { sinceMs: now(), receivers: undefined, ...counts, resolve() {} };
    const answered = new Promise<void>((resolve) => {
      pending.resolve = resolve;
    });
    this.#pending.set(id, pending);
    try {
      const published = await bus.multicast(message.businessId, group, encodeMulticast(incarnation, id, message));
      if (published === undefined) throw new GroupNotFoundError(group);
      const { offset, receivers } = published;
      pending.receivers = receivers;
      if (pending.answers < receivers) await answered;
      if (pending.workers > 0 && pending.overloaded === pending.workers) throw overloaded();
      const silent = Math.max(receivers - pending.answers, 0);
      return { offset, members: pending.members, unanswered: pending.unanswered + silent };
    } finally {
      this.#pending.delete(id);
    }
  }

  answered({ id, workers, members, unanswered, overloaded }: MulticastAnswer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    pending.answers += 1;
    pending.workers += workers;
    pending.members += members;
    pending.unanswered += unanswered;
    pending.overloaded += overloaded;
    if (pending.answers === pending.receivers) pending.resolve();
  }

  expire(nowMs: number): void {
    for (const pending of this.#pending.values()) {
      if (nowMs - pending.sinceMs < ANSWER_TIMEOUT_MS) return;
      pending.resolve();
    }
  }
}
