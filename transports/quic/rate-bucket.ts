/** A bound on how often a second something is done for strangers, with a burst of a second's worth. */
export class RateBucket {
  readonly #perSecond: number;
  #left: number;
  #lastMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
    this.#lastMs = nowMs;
  }

  take(nowMs: number): boolean {
    this.#left = Math.min(this.#left + ((nowMs - this.#lastMs) * this.#perSecond) / 1_000, this.#perSecond);
    this.#lastMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
