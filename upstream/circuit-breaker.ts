/**
 * Whether a back-end is worth a try. Pure state: no timer, no I/O, time comes in.
 *
 * A verdict counts only in the epoch its ticket was drawn in, so that what was sent before the breaker opened
 * cannot close it again when its answer trickles in.
 */

/**
 * - `closed`     calls pass; failures in a row are counted
 * - `open`       calls are refused for `openMs`
 * - `half-open`  one call is trying, the others are refused; its verdict decides
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** Proof of admission, to be handed back with the verdict. */
export type Ticket = number;

export interface CircuitBreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open before one call may try. */
  readonly openMs: number;
}

const NEXT: Record<BreakerState, readonly BreakerState[]> = {
  closed: ['open'],
  open: ['half-open'],
  'half-open': ['closed', 'open'],
};

export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #state: BreakerState = 'closed';
  #epoch: Ticket = 1;
  #failures = 0;
  #openedMs = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether `admit` would let a call pass at `nowMs`; changes nothing. */
  isPassable(nowMs: number): boolean {
    return this.#state === 'closed' || (this.#state === 'open' && nowMs - this.#openedMs >= this.#options.openMs);
  }

  /** Lets a call pass or not. @returns its ticket, to be handed to one of the verdicts; undefined when refused */
  admit(nowMs: number): Ticket | undefined {
    if (!this.isPassable(nowMs)) return undefined;
    if (this.#state === 'open') this.#move('half-open', nowMs);
    return this.#epoch;
  }

  /** The back-end did its part. */
  succeeded(ticket: Ticket, nowMs: number): void {
    if (ticket !== this.#epoch) return;
    this.#failures = 0;
    if (this.#state === 'half-open') this.#move('closed', nowMs);
  }

  /** The back-end did not. */
  failed(ticket: Ticket, nowMs: number): void {
    if (ticket !== this.#epoch) return;
    this.#failures += 1;
    if (this.#state === 'half-open' || this.#failures >= this.#options.failures) this.#move('open', nowMs);
  }

  /** The call ended for a reason that says nothing about the back-end; a try is over, and the next call may try. */
  abandoned(ticket: Ticket, nowMs: number): void {
    if (ticket !== this.#epoch || this.#state !== 'half-open') return;
    this.#move('open', nowMs);
    this.#openedMs = nowMs - this.#options.openMs;
  }

  /** When a refused call is worth repeating; at least 1. While a call is trying, nobody knows: `openMs`. */
  retryAfterMs(nowMs: number): number {
    if (this.#state !== 'open') return this.#options.openMs;
    return Math.max(1, Math.ceil(this.#openedMs + this.#options.openMs - nowMs));
  }

  #move(to: BreakerState, nowMs: number): void {
    if (!NEXT[this.#state].includes(to)) throw new RangeError(`breaker: ${this.#state} to ${to}`);
    this.#state = to;
    this.#epoch += 1;
    this.#failures = 0;
    if (to === 'open') this.#openedMs = nowMs;
  }
}
