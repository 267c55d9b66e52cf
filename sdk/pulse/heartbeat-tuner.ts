/**
 * Finds the longest heartbeat that a network allows, as Tencent's mars does: what sits between (a carrier's NAT, a
 * proxy) forgets links that were silent for too long and tells nobody. Only a silence of the whole interval
 * proves something, so a busy link teaches nothing and costs nothing.
 *
 *   held HOLDS times           -> the next step, unless it failed before
 *   lost after such a silence  -> back to what last held, and no step above it for a long time
 *
 * No timers and no I/O; a loss can be taken back, because only the next login shows whether the network was there.
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

interface Found {
  readonly intervalMs: number;
  readonly heldMs: number;
  /** Not to be reached again for now: a silence of this length lost the link. */
  readonly failedMs: number;
}

export class HeartbeatTuner {
  readonly #bounds: HeartbeatBounds;
  #found: Found;
  #beforeLoss: Found | undefined;
  #holds = 0;

  /** @param startMs put between the bounds */
  constructor(bounds: HeartbeatBounds, startMs: number) {
    this.#bounds = bounds;
    this.#found = { intervalMs: this.#within(startMs), heldMs: 0, failedMs: Number.POSITIVE_INFINITY };
  }

  get intervalMs(): number {
    return this.#found.intervalMs;
  }

  /** The longest that held, since the last loss; 0 while none has. */
  get heldMs(): number {
    return this.#found.heldMs;
  }

  /** A link lived through this silence. @returns whether the interval changed */
  held(silenceMs: number): boolean {
    const { intervalMs, failedMs } = this.#found;
    if (silenceMs < intervalMs * SHORTEST_PROOF) return false;
    this.#holds += 1;
    this.#found = { intervalMs, heldMs: intervalMs, failedMs };
    const nextMs = this.#within(Math.round(intervalMs * STEP));
    const isBarred = nextMs >= failedMs;
    if (nextMs === intervalMs || this.#holds < (isBarred ? HOLDS_AFTER_LOSS : HOLDS)) return false;
    this.#holds = 0;
    this.#found = {
      intervalMs: nextMs,
      heldMs: intervalMs,
      failedMs: isBarred ? Number.POSITIVE_INFINITY : failedMs,
    };
    return true;
  }

  /** A link was lost in this silence. */
  lost(silenceMs: number): void {
    const { intervalMs, heldMs } = this.#found;
    if (silenceMs < intervalMs * SHORTEST_PROOF || silenceMs > intervalMs * LONGEST_PROOF) return;
    this.#beforeLoss = this.#found;
    const backMs = heldMs > 0 && heldMs < intervalMs ? heldMs : Math.round(intervalMs / STEP);
    this.#found = { intervalMs: this.#within(backMs), heldMs: 0, failedMs: intervalMs };
    this.#holds = 0;
  }

  /** The network itself was away: the last loss is not the interval's fault. */
  excuse(): void {
    this.#found = this.#beforeLoss ?? this.#found;
    this.#beforeLoss = undefined;
  }

  /** Back online at once: the last loss stands. @returns whether there was one */
  settle(): boolean {
    const hasLost = this.#beforeLoss !== undefined;
    this.#beforeLoss = undefined;
    return hasLost;
  }

  #within(intervalMs: number): number {
    return Math.min(Math.max(intervalMs, this.#bounds.minMs), this.#bounds.maxMs);
  }
}
