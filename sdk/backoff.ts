/**
 * When to come back: full-jitter exponential back-off, because clients that lost the same server at the same moment
 * must not come back at the same moment, and a budget of attempts, because a network that comes and goes, or a server
 * that lets clients in and throws them out, must not be hammered.
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
/** So many attempts within this time; beyond, every delay has the highest ceiling and no hint shortens it. */
const BUDGET = 12;
const BUDGET_WINDOW_MS = 60_000;
/** A link that ended without a word may be one of thousands: its first delay is spread four times as wide. */
const SILENT_LOSS_ATTEMPT = 2;

/**
 * Counts failures in a row. A login alone does not end the row, or a server that lets clients in and throws them
 * out at once would be hammered.
 */
export class RetryPolicy {
  #attempt = 0;
  #onlineSinceMs: number | undefined;
  /** When the latest attempts began, as many as the budget has. */
  #attemptsMs: number[] = [];

  attempted(nowMs: number): void {
    this.#attemptsMs = [...this.#attemptsMs.slice(1 - BUDGET), nowMs];
  }

  /** Whether the budget allows an attempt ahead of its time. */
  hasBudget(nowMs: number): boolean {
    return this.#attemptsMs.length < BUDGET || nowMs - (this.#attemptsMs[0] ?? 0) >= BUDGET_WINDOW_MS;
  }

  online(nowMs: number): void {
    this.#onlineSinceMs = nowMs;
  }

  /** @param isSilentLoss a connection ended without a word from the server */
  nextDelayMs(settings: RetrySettings, random: number, nowMs: number, isSilentLoss = false): number {
    if (this.#onlineSinceMs !== undefined && nowMs - this.#onlineSinceMs >= STABLE_AFTER_MS) this.#attempt = 0;
    this.#onlineSinceMs = undefined;
    if (isSilentLoss) this.#attempt = Math.max(this.#attempt, SILENT_LOSS_ATTEMPT);
    const attempt = this.#attempt++;
    return backoffMs(this.hasBudget(nowMs) ? attempt : Number.POSITIVE_INFINITY, settings, random);
  }

  reset(): void {
    this.#attempt = 0;
  }
}
