/**
 * Full-jitter exponential back-off: a delay anywhere between nothing and the doubled ceiling, because clients
 * that lost the same server at the same moment must not come back at the same moment.
 */

export interface RetrySettings {
  /** Ceiling of the first delay. */
  readonly minMs: number;
  /** Ceiling of every delay. */
  readonly maxMs: number;
}

export const DEFAULT_RETRY: RetrySettings = { minMs: 500, maxMs: 30_000 };

/**
 * @param attempt failures in a row before this one, from 0
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, { minMs, maxMs }: RetrySettings, random: number): number {
  return Math.floor(random * Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30)));
}

/** A connection that held for this long was a good one: the next failure is the first again. */
const STABLE_AFTER_MS = 10_000;

/**
 * Counts failures in a row. A login alone does not end the row, or a server that lets clients in and throws them
 * out at once would be hammered.
 */
export class RetryPolicy {
  #attempt = 0;
  #onlineSinceMs: number | undefined;

  online(nowMs: number): void {
    this.#onlineSinceMs = nowMs;
  }

  nextDelayMs(settings: RetrySettings, random: number, nowMs: number): number {
    if (this.#onlineSinceMs !== undefined && nowMs - this.#onlineSinceMs >= STABLE_AFTER_MS) this.#attempt = 0;
    this.#onlineSinceMs = undefined;
    return backoffMs(this.#attempt++, settings, random);
  }

  reset(): void {
    this.#attempt = 0;
  }
}
