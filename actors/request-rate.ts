/**
 * How many requests a second one connection may send. A client a little too fast is told so request by request; one
 * that goes on at more than ten times the rate does not listen, and its connection is worth more to others.
 */

/** A burst of this many seconds' worth. */
const BURST_SECONDS = 2;
/** Refused requests, as a multiple of the rate, that are answered at all. */
const PATIENCE = 10;

/** Frames of all kinds that one connection may send in a second, whatever the rate. */
const MIN_FRAMES_PER_SECOND = 10_000;
/** Where the rate is high: the requests served and refused, and as many frames of other kinds. */
const FRAMES_PER_REQUEST = 2 * (1 + PATIENCE);

/** @returns frames a second beyond which a connection does nothing but cost */
export function maxFramesPerSecond(requestsPerSecond: number): number {
  return Math.max(MIN_FRAMES_PER_SECOND, requestsPerSecond * FRAMES_PER_REQUEST);
}

export class RequestRate {
  #requests: number;
  #refusals: number;
  #atMs: number;

  /** @param perSecond from 1 */
  constructor(perSecond: number, nowMs: number) {
    this.#requests = perSecond * BURST_SECONDS;
    this.#refusals = perSecond * PATIENCE;
    this.#atMs = nowMs;
  }

  /** @returns what to do with the request that just came */
  judge(perSecond: number, nowMs: number): 'serve' | 'refuse' | 'close' {
    const earned = ((nowMs - this.#atMs) / 1_000) * perSecond;
    this.#atMs = nowMs;
    this.#requests = Math.min(this.#requests + earned, perSecond * BURST_SECONDS);
    this.#refusals = Math.min(this.#refusals + earned * PATIENCE, perSecond * PATIENCE);
    if (this.#requests >= 1) {
      this.#requests -= 1;
      return 'serve';
    }
    if (this.#refusals < 1) return 'close';
    this.#refusals -= 1;
    return 'refuse';
  }
}
