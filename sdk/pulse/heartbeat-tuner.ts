/**
 * Finds the longest heartbeat that a network allows, as Tencent's mars does: what sits between (a carrier's NAT, a
 * proxy) forgets links that were silent for too long and tells nobody. Only a silence of the whole interval
 * proves something, so a busy link teaches nothing and costs nothing.
 *
 *   held HOLDS times           -> the next step, unless it failed before
 *   lost after such a silence  -> back to what last held, and no step above it for a long time
 *
 * No timers and no I/O. A loss waits for the next login, which shows whether the network was there at all.
 */

/** Silences survived in a row before a longer one is tried. */
const HOLDS = 3;
const STEP = 1.5;
/** Silences survived in a row before a length that failed is tried once more: the network may be another by now. */
const HOLDS_AFTER_LOSS = 100;
/** A silence that proves something, as shares of the interval. Shorter: the answer to the ping before came late. */
const SHORTEST_PROOF = 0.8;
/** Longer: the device slept, and that the link did not live through it says nothing of the interval. */
const LONGEST_PROOF = 1.5;

export interface HeartbeatBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

export class HeartbeatTuner {
  /** Others may come with a new bootstrap. */
  bounds: HeartbeatBounds;
  #intervalMs: number;
  #heldMs = 0;
  /** Not to be reached again for now: a silence of this length lost the link. */
  #failedMs = Number.POSITIVE_INFINITY;
  #holds = 0;
  #isLost = false;

  /** @param startMs put between the bounds */
  constructor(bounds: HeartbeatBounds, startMs: number) {
    this.bounds = bounds;
    this.#intervalMs = this.#within(startMs);
  }

  /** What the next connection should begin with, too. */
  get intervalMs(): number {
    if (!this.#isLost) return this.#intervalMs;
    const hasHeldLess = this.#heldMs > 0 && this.#heldMs < this.#intervalMs;
    return this.#within(hasHeldLess ? this.#heldMs : Math.round(this.#intervalMs / STEP));
  }

  /** The longest that held, since the last loss; 0 while none has. */
  get heldMs(): number {
    return this.#heldMs;
  }

  /** A link lived through this silence. @returns whether the interval changed */
  held(silenceMs: number): boolean {
    if (silenceMs < this.#intervalMs * SHORTEST_PROOF) return false;
    this.#heldMs = this.#intervalMs;
    this.#holds += 1;
    const nextMs = this.#within(Math.round(this.#intervalMs * STEP));
    const isBarred = nextMs >= this.#failedMs;
    if (nextMs === this.#intervalMs || this.#holds < (isBarred ? HOLDS_AFTER_LOSS : HOLDS)) return false;
    if (isBarred) this.#failedMs = Number.POSITIVE_INFINITY;
    this.#move(nextMs);
    return true;
  }

  /** A link was lost in this silence. */
  lost(silenceMs: number): void {
    const share = silenceMs / this.#intervalMs;
    this.#isLost = share >= SHORTEST_PROOF && share <= LONGEST_PROOF;
  }

  /** The network itself was away: the last loss is not the interval's fault. */
  excuse(): void {
    this.#isLost = false;
  }

  /** Back online at once: the last loss stands. @returns whether there was one */
  settle(): boolean {
    if (!this.#isLost) return false;
    const { intervalMs } = this;
    this.#failedMs = this.#intervalMs;
    this.#isLost = false;
    this.#heldMs = 0;
    this.#move(intervalMs);
    return true;
  }

  #move(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.#holds = 0;
  }

  #within(intervalMs: number): number {
    return Math.min(Math.max(intervalMs, this.bounds.minMs), this.bounds.maxMs);
  }
}
