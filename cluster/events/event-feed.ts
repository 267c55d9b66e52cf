/**
 * Brings one business its connection events: several at once, again where that helps, never for ever. Each business
 * has a feed of its own, so that a back-end that hangs delays nothing but its own events.
 *
 * What fails is retried by itself after a back-off that doubles; what fails in a row opens a breaker, so that a back-end
 * that is down is asked now and then instead of by every event. Delivery is at most once across a crash of the node:
 * what waits here is in memory only.
 *
 * @see docs/integration.md, "Connection events"
 */
import { CircuitBreaker, type ConnectionEvent, type EventSender } from '../../upstream/index.js';
import { EventQueue, type QueuedEvent } from './event-queue.js';

/**
 * - `delivered`  the back-end answered 2xx
 * - `refused`    it answered something that another attempt would not change
 * - `expired`    too many attempts, or too old
 * - `dropped`    too many events waited
 * - `lost`       the node stopped, or the business wants no events any more
 */
export type EventOutcome = 'delivered' | 'refused' | 'expired' | 'dropped' | 'lost';

export interface FeedLimits {
  readonly maxWaiting: number;
  readonly maxPerDevice: number;
  /** Of one event. */
  readonly maxAttempts: number;
  /** From the event itself to the beginning of its last attempt. */
  readonly maxAgeMs: number;
  /** Before the second attempt; doubled each time, each drawn between half and all of it. */
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  /** Events that wait for another attempt; while there are as many, no new one is begun. */
  readonly maxBackingOff: number;
}

export const DEFAULT_FEED_LIMITS: FeedLimits = Object.freeze({
  maxWaiting: 100_000,
  maxPerDevice: 100,
  maxAttempts: 10,
  maxAgeMs: 120_000,
  minBackoffMs: 250,
  maxBackoffMs: 30_000,
  maxBackingOff: 1_000,
});

export interface FeedTarget {
  readonly sender: EventSender;
  /** Attempts under way at once. */
  readonly concurrency: number;
  readonly breaker: { readonly failures: number; readonly openMs: number };
}

export interface EventFeedOptions {
  readonly target: FeedTarget;
  readonly onSettled: (event: ConnectionEvent, outcome: EventOutcome) => void;
  readonly limits?: Partial<FeedLimits>;
  /** Milliseconds since the Unix epoch; the system's clock by default. */
  readonly now?: (() => number) | undefined;
}

export class EventFeed {
  readonly #limits: FeedLimits;
  readonly #queue: EventQueue;
  readonly #onSettled: EventFeedOptions['onSettled'];
  readonly #now: () => number;
  readonly #backingOff = new Map<QueuedEvent, NodeJS.Timeout>();
  #target: FeedTarget;
  #breaker: CircuitBreaker;
  #underWay = 0;
  #pausedUntilMs = 0;
  #wakeUp: NodeJS.Timeout | undefined;
  #isStopped = false;
  #onIdle = (): void => {};

  constructor({ target, onSettled, limits, now = Date.now }: EventFeedOptions) {
    this.#limits = { ...DEFAULT_FEED_LIMITS, ...limits };
    this.#queue = new EventQueue(this.#limits);
    this.#target = target;
    this.#breaker = new CircuitBreaker(target.breaker);
    this.#onSettled = onSettled;
    this.#now = now;
  }

  /** Events that are not settled yet. */
  get pending(): number {
    return this.#queue.waiting + this.#backingOff.size + this.#underWay;
  }

  add(event: ConnectionEvent): void {
    if (this.#isStopped) return this.#onSettled(event, 'lost');
    const dropped = this.#queue.add(event);
    if (dropped !== undefined) this.#onSettled(dropped, 'dropped');
    this.#pump();
  }

  /** From now on to another address; what waits is kept. */
  retarget(target: FeedTarget): void {
    const { sender } = this.#target;
    this.#target = target;
    this.#breaker = new CircuitBreaker(target.breaker);
    this.#pausedUntilMs = 0;
    void sender.destroy();
    this.#pump();
  }

  /** Resolves when every event is settled. */
  async idle(): Promise<void> {
    if (this.pending === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** What is not settled by now is lost. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#wakeUp);
    for (const [entry, timer] of this.#backingOff) {
      clearTimeout(timer);
      this.#onSettled(entry.event, 'lost');
    }
    this.#backingOff.clear();
    for (let left = this.#dropOldest(); left !== undefined; left = this.#dropOldest()) this.#onSettled(left, 'lost');
    await this.#target.sender.destroy();
  }

  #dropOldest(): ConnectionEvent | undefined {
    return this.#queue.dropOlderThan(Number.POSITIVE_INFINITY);
  }

  #pump(): void {
    if (this.#isStopped) return;
    this.#expireOld();
    while (this.#queue.hasReady && this.#hasRoom()) {
      const nowMs = this.#now();
      if (nowMs < this.#pausedUntilMs) return this.#wakeUpIn(this.#pausedUntilMs - nowMs);
      const ticket = this.#breaker.admit(nowMs);
      if (ticket === undefined) return this.#wakeUpIn(this.#breaker.retryAfterMs(nowMs));
      void this.#attempt(this.#queue.take() as QueuedEvent, this.#breaker, ticket);
    }
    if (this.pending === 0) this.#onIdle();
  }

  #hasRoom(): boolean {
    return this.#underWay < this.#target.concurrency && this.#backingOff.size < this.#limits.maxBackingOff;
  }

  #expireOld(): void {
    const bornByMs = this.#now() - this.#limits.maxAgeMs;
    for (;;) {
      const old = this.#queue.dropOlderThan(bornByMs);
      if (old === undefined) return;
      this.#onSettled(old, 'expired');
    }
  }

  async #attempt(entry: QueuedEvent, breaker: CircuitBreaker, ticket: number): Promise<void> {
    this.#underWay += 1;
    entry.attempts += 1;
    const outcome = await this.#target.sender.send(entry.event);
    this.#underWay -= 1;
    if (outcome.result === 'failed') {
      breaker.failed(ticket, this.#now());
      this.#failed(entry, outcome.retryAfterMs);
    } else {
      breaker.succeeded(ticket, this.#now());
      this.#settle(entry, outcome.result);
    }
    this.#pump();
  }

  #failed(entry: QueuedEvent, retryAfterMs: number): void {
    const { maxAttempts, maxAgeMs } = this.#limits;
    if (this.#isStopped) return this.#settle(entry, 'lost');
    // Who names a time means all its events, not this one.
    if (retryAfterMs > 0) this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#now() + retryAfterMs);
    const delayMs = Math.max(this.#backoffMs(entry.attempts), retryAfterMs);
    const isTooOld = this.#now() + delayMs - entry.event.atMs > maxAgeMs;
    if (entry.attempts >= maxAttempts || isTooOld) return this.#settle(entry, 'expired');
    const timer = setTimeout(() => {
      this.#backingOff.delete(entry);
      this.#queue.putBack(entry);
      this.#pump();
    }, delayMs);
    this.#backingOff.set(entry, timer);
  }

  #settle(entry: QueuedEvent, outcome: EventOutcome): void {
    this.#queue.done(entry);
    this.#onSettled(entry.event, outcome);
  }

  #backoffMs(attempts: number): number {
    const { minBackoffMs, maxBackoffMs } = this.#limits;
    const wholeMs = Math.min(minBackoffMs * 2 ** (attempts - 1), maxBackoffMs);
    return wholeMs * (0.5 + Math.random() / 2);
  }

  #wakeUpIn(ms: number): void {
    clearTimeout(this.#wakeUp);
    this.#wakeUp = setTimeout(() => this.#pump(), ms);
  }
}
