/**
 * From measurements to an overload level, for one thing that is measured: an event loop's delay, resident memory, the
 * share of a heap. No clock and no timer of its own, so that a test plays an hour in a millisecond.
 *
 * The level rises at once when the value passes a threshold and falls again only when it is well below, so that a value
 * on the edge does not refuse every other login. A value that jumps is smoothed before (`SmoothedDelay`).
 */
import type { OverloadLevel } from '../actors/index.js';

export interface OverloadThresholds {
  /** From here on level 1, and level 2. */
  readonly risesAt: readonly [number, number];
  /** Below here no longer level 1, and level 2. */
  readonly fallsBelow: readonly [number, number];
}

export class OverloadGauge {
  #thresholds: OverloadThresholds;
  #level: OverloadLevel = 0;

  constructor(thresholds: OverloadThresholds) {
    this.#thresholds = thresholds;
  }

  get level(): OverloadLevel {
    return this.#level;
  }

  /** New thresholds count from the next measurement on. */
  configure(thresholds: OverloadThresholds): void {
    this.#thresholds = thresholds;
  }

  measure(value: number): OverloadLevel {
    const { risesAt, fallsBelow } = this.#thresholds;
    const isHeld = (level: 1 | 2) => this.#level >= level && value >= (fallsBelow[level - 1] as number);
    if (value >= risesAt[1] || isHeld(2)) this.#level = 2;
    else if (value >= risesAt[0] || isHeld(1)) this.#level = 1;
    else this.#level = 0;
    return this.#level;
  }
}

/** Over this time an event loop's delay is averaged. */
const AVERAGED_MS = 2_000;
/** What one late tick may count for: its weight against all before it, and its length in thresholds. */
const MAX_WEIGHT = 1 / 3;
const MAX_TIMES_LIMIT = 2.5;

/**
 * A running average of how late a timer fires, weighted by time: a loop that stalls for half a second, breathes for a
 * moment and stalls again is as overloaded as one that never breathes. One stall alone, however long (a garbage
 * collection, a suspended machine), weighs 5/6 of the limit at most, and so changes nothing.
 */
export class SmoothedDelay {
  #valueMs = 0;

  get valueMs(): number {
    return this.#valueMs;
  }

  /**
   * @param delayMs how much later than planned the timer fired
   * @param spanMs since it fired before
   * @param limitMs the delay from which a thread is overloaded
   */
  tick(delayMs: number, spanMs: number, limitMs: number): number {
    const weight = Math.min(1 - Math.exp(-spanMs / AVERAGED_MS), MAX_WEIGHT);
    this.#valueMs += (Math.min(delayMs, limitMs * MAX_TIMES_LIMIT) - this.#valueMs) * weight;
    return this.#valueMs;
  }
}

/** Of a thread's event loop: level 1 at `loopDelayMs`, level 2 at twice as much, back at half of each. */
export function delayThresholds(loopDelayMs: number): OverloadThresholds {
  return { risesAt: [loopDelayMs, loopDelayMs * 2], fallsBelow: [loopDelayMs / 2, loopDelayMs] };
}

/** Of resident memory: level 1 at `limitBytes`, level 2 an eighth above, back 5 % below each. */
export function memoryThresholds(limitBytes: number): OverloadThresholds {
  const second = limitBytes * (9 / 8);
  return { risesAt: [limitBytes, second], fallsBelow: [limitBytes * 0.95, second * 0.95] };
}

/**
 * Of a heap against its own limit, as a share. V8 collects at the latest halfway between what is alive and the limit, so
 * 0.8 full means that 0.6 are alive.
 */
export const HEAP_THRESHOLDS: OverloadThresholds = { risesAt: [0.8, 0.9], fallsBelow: [0.7, 0.85] };
