/**
 * This node's own lease, judged from how its renewals end. No timers and no clock of its own: time comes in, in
 * milliseconds of a clock that does not jump. The lease counts from when a renewal was sent, so that this node thinks
 * it lapsed a little early and never late.
 */
import type { MembershipView } from '../engines/contract/index.js';
import { moveOwn, type OwnState } from './states.js';

/**
 * What a renewal meant:
 *
 * - `joined`     the first one, or the first after this node was sent away
 * - `renewed`    nothing changed
 * - `forgotten`  the engine had lost this node and what it kept for it
 * - `sent away`  another node has declared this one gone
 */
export type Renewal = 'joined' | 'renewed' | 'forgotten' | 'sent away';

/** Renewals that may fail in a row before the node counts as cut off. */
const TOLERATED_FAILURES = 1;

export class OwnLease {
  readonly #leaseMs: number;
  readonly #lapses: boolean;
  #state: OwnState = 'unregistered';
  #reason = 'starts';
  #sinceMs: number;
  #endsMs = Number.NEGATIVE_INFINITY;
  #stoodSinceMs = 0;
  #failures = 0;

  /** @param lapses false where nobody else could take the node for gone, however long it stands still */
  constructor(leaseMs: number, nowMs: number, lapses = true) {
    this.#leaseMs = leaseMs;
    this.#lapses = lapses;
    this.#sinceMs = nowMs;
  }

  get state(): OwnState {
    return this.#state;
  }

  /** Why it is in its state. */
  get reason(): string {
    return this.#reason;
  }

  /** Since when. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Until it lapses by this node's own clock; 0 when it has. */
  leftMs(nowMs: number): number {
    if (!this.#lapses && this.#state === 'registered') return this.#leaseMs;
    return Math.max(this.#endsMs - nowMs, 0);
  }

  /** Since when it has stood without a break; `undefined` while it does not. */
  standsSinceMs(nowMs: number): number | undefined {
    return this.leftMs(nowMs) > 0 ? this.#stoodSinceMs : undefined;
  }

  /** @param sentMs when the renewal was sent */
  renewed(own: MembershipView['own'], sentMs: number, nowMs: number): Renewal {
    this.#failures = 0;
    if (this.#state === 'withdrawn') return 'renewed';
    if (own === 'gone') {
      this.#endsMs = Number.NEGATIVE_INFINITY;
      if (this.#state !== 'sent away') this.#move('sent away', 'another node declared it gone', nowMs);
      return 'sent away';
    }
    if (own === 'new' || this.leftMs(sentMs) === 0) this.#stoodSinceMs = nowMs;
    this.#endsMs = sentMs + this.#leaseMs;
    const before = this.#state;
    if (before !== 'registered') this.#move('registered', 'its lease stands', nowMs);
    // It may have joined with a renewal whose answer was lost.
    if (before === 'unregistered' || before === 'sent away') return 'joined';
    return own === 'renewed' ? 'renewed' : 'forgotten';
  }

  /** A renewal failed. @returns whether the node counts as cut off from now on */
  missed(reason: string, nowMs: number): boolean {
    this.#failures += 1;
    if (this.#state !== 'registered' || this.#failures <= TOLERATED_FAILURES) return false;
    this.#move('cut off', reason, nowMs);
    return true;
  }

  withdrawn(nowMs: number): void {
    if (this.#state === 'withdrawn') return;
    this.#endsMs = Number.NEGATIVE_INFINITY;
    this.#move('withdrawn', 'stops', nowMs);
  }

  #move(to: OwnState, reason: string, nowMs: number): void {
    this.#state = moveOwn(this.#state, to);
    this.#reason = reason;
    this.#sinceMs = nowMs;
  }
}
