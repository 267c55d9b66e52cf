/**
 * How many requests a key may make: a bucket that fills by `businesses.<name>.requestsPerSecond` and holds twice as
 * much. A single request that finds it empty is refused; a stream takes what it needs beforehand and waits its time,
 * because whoever can be slowed down need not be turned away.
 */
import type { FastifyReply } from 'fastify';
import type { HttpApp } from '../http/index.js';
import { RateLimitedError } from './errors.js';

const BURST_SECONDS = 2;
/** Keys remembered; far more than a configuration has, so only keys of old ones are forgotten. */
const MAX_KEYS = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

export interface RateLimitOptions {
  /** Requests a second, by the business's name; 0 for no limit. */
  readonly rateOf: (business: string) => number;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
}

export class RateLimits {
  readonly #options: RateLimitOptions;
  /** By key. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  rateOf(business: string): number {
    return this.#options.rateOf(business);
  }

  /** One request. @returns how many more there may be at once; `undefined` when there is no limit, -1 when this is one too many */
  take(business: string, key: string): number | undefined {
    const rate = this.rateOf(business);
    if (rate === 0) return undefined;
    const bucket = this.#filled(key, rate);
    if (bucket.tokens < 1) return -1;
    bucket.tokens -= 1;
    return Math.floor(bucket.tokens);
  }

  /** Requests of a stream. @returns milliseconds after which they may be made */
  reserve(business: string, key: string, count: number): number {
    const rate = this.rateOf(business);
    if (rate === 0) return 0;
    const bucket = this.#filled(key, rate);
    bucket.tokens -= count;
    return bucket.tokens >= 0 ? 0 : (-bucket.tokens / rate) * 1_000;
  }

  /** Whole seconds until the next request may be made, at least one. */
  retryAfterS(business: string, key: string): number {
    const rate = this.rateOf(business);
    const missing = 1 - (this.#buckets.get(key)?.tokens ?? 1);
    return Math.max(Math.ceil(missing / Math.max(rate, 1)), 1);
  }

  #filled(key: string, rate: number): Bucket {
    const nowMs = this.#options.now();
    const most = rate * BURST_SECONDS;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_KEYS) this.#buckets.clear();
      bucket = { tokens: most, atMs: nowMs };
      this.#buckets.set(key, bucket);
    }
    bucket.tokens = Math.min(bucket.tokens + ((nowMs - bucket.atMs) / 1_000) * rate, most);
    bucket.atMs = nowMs;
    return bucket;
  }
}

/** Routes of `scope` from here on are limited by their key; they ask for one before. */
export function limitRequests(scope: HttpApp, limits: RateLimits): void {
  scope.addHook('onRequest', ({ subject, key }, reply, done) => {
    const left = limits.take(subject, key);
    if (left === undefined) return done();
    const rate = limits.rateOf(subject);
    tell(reply, rate, Math.max(left, 0));
    if (left >= 0) return done();
    done(new RateLimitedError(rate, limits.retryAfterS(subject, key)));
  });
}

/** draft-ietf-httpapi-ratelimit-headers: the quota of a second, and what is left of it with the burst. */
function tell(reply: FastifyReply, rate: number, left: number): void {
  reply.header('ratelimit-policy', `"key";q=${rate};w=1`);
  reply.header('ratelimit', `"key";r=${left};t=1`);
}
