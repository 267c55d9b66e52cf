/** How often one connection may report. A report costs the server more than most frames and nobody waits for it. */

const REPORTS_PER_SECOND = 1;
const BURST = 10;

const SPACING_MS = 1_000 / REPORTS_PER_SECOND;

export class ReportRate {
  /** When a bucket that was full at first would be full again. */
  #fullAtMs = 0;

  /** @returns whether the report that just came is read at all */
  allows(nowMs: number): boolean {
    const fullAtMs = Math.max(this.#fullAtMs, nowMs) + SPACING_MS;
    if (fullAtMs - nowMs > BURST * SPACING_MS) return false;
    this.#fullAtMs = fullAtMs;
    return true;
  }
}
