/**
 * Token buckets by key: as much at once as in a minute, then refilled evenly. Buckets that were left alone are full again
 * and need not be kept; two generations of them take turns, so that forgetting costs nothing and an attacker with any
 * number of keys fills a fixed amount of memory.
 */
const MINUTE_MS = 60_000;
/** By then a bucket in the deepest debt is full again. */
const GENERATION_MS = 2 * MINUTE_MS;
/** About 20 MB in two generations. */
const DEFAULT_MAX_KEYS = 50_000;

export interface RateLimiterOptions {
  /** Keys of one generation. */
  readonly maxKeys?: number | undefined;
  /** Milliseconds of a clock that does not jump; by default the process's. */
  readonly now?: (() => number) | undefined;
}

interface Bucket {
  /** Below zero after `charge`. */
  left: number;
  atMs: number;
}

export class RateLimiter {
  readonly #maxKeys: number;
  readonly #now: () => number;
  #young = new Map<string, Bucket>();
  #old = new Map<string, Bucket>();
  #turnedMs: number;

  constructor({ maxKeys = DEFAULT_MAX_KEYS, now = () => performance.now() }: RateLimiterOptions = {}) {
    this.#maxKeys = maxKeys;
    this.#now = now;
    this.#turnedMs = now();
  }

  /** Buckets that are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Takes one. @returns 0, or how many milliseconds until there will be one */
  take(key: string, perMinute: number): number {
    const bucket = this.#bucket(key, perMinute);
    if (bucket.left < 1) return ((1 - bucket.left) * MINUTE_MS) / perMinute;
    bucket.left -= 1;
    return 0;
  }

  /** Takes `count` more whether they are there or not, down to a debt of a minute. */
  charge(key: string, perMinute: number, count: number): void {
    const bucket = this.#bucket(key, perMinute);
    bucket.left = Math.max(bucket.left - count, -perMinute);
  }

  #bucket(key: string, perMinute: number): Bucket {
    const nowMs = this.#now();
    if (nowMs - this.#turnedMs >= GENERATION_MS || this.#young.size >= this.#maxKeys) this.#turn(nowMs);
    let bucket = this.#young.get(key);
    if (bucket === undefined) {
      bucket = this.#old.get(key) ?? { left: perMinute, atMs: nowMs };
      this.#old.delete(key);
      this.#young.set(key, bucket);
    }
    bucket.left = Math.min(perMinute, bucket.left + ((nowMs - bucket.atMs) * perMinute) / MINUTE_MS);
    bucket.atMs = nowMs;
    return bucket;
  }

  #turn(nowMs: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#turnedMs = nowMs;
  }
}
