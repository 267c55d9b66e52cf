/**
 * Liveness of one connection, judged without a timer of its own: the worker's wheel asks. Kept as three small
 * numbers per connection; the bounds are the worker's, so that a reload counts for all.
 *
 * A client may announce an interval of its own. That moves the first PING only: once a client is overdue, it is
 * asked again after no more than the worker's own interval, so that a long heartbeat does not keep the dead.
 */
import type { StringMap } from '../protocol/index.js';

/** In CONNECT's attributes and in REPORT: the interval that the client wants, ms. */
const HEARTBEAT_KEY = 'heartbeat-ms';

/** The server waits a little longer than it announces, so that a punctual client is never asked. */
const HEARTBEAT_SLACK = 1.25;

export interface HeartbeatOptions {
  /** Of a client that announced none. */
  readonly intervalMs: number;
  /** What a client may announce is put between these; they include `intervalMs`. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Heartbeats without any answer before the peer counts as stale. */
  readonly maxMissed: number;
}

/** @returns the interval that a client announces; 0 when it announces none, or something that is no interval */
export function announcedHeartbeatMs(said: StringMap): number {
  const text = said[HEARTBEAT_KEY];
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

export class Heartbeat {
  /** Whole milliseconds: a small integer needs no object of its own on the heap, and a fraction would. */
  #lastSeenMs: number;
  #missed = 0;
  #announcedMs: number;

  /** @param announcedMs by the client; 0 for none */
  constructor(nowMs: number, announcedMs = 0) {
    this.#lastSeenMs = Math.floor(nowMs);
    this.#announcedMs = announcedMs;
  }

  /** Any inbound frame proves life, not only a pong. */
  seen(nowMs: number): void {
    this.#lastSeenMs = Math.floor(nowMs);
    this.#missed = 0;
  }

  /** The client keeps another interval from now on. */
  announce(intervalMs: number): void {
    this.#announcedMs = intervalMs;
  }

  /** What is in force, and what the client is told: within the bounds, whatever it announced. */
  intervalMs({ intervalMs, minMs, maxMs }: HeartbeatOptions): number {
    return this.#announcedMs === 0 ? intervalMs : Math.min(Math.max(this.#announcedMs, minMs), maxMs);
  }

  /** What the connection should do at `nowMs`; after `stale` the caller closes it. */
  tick(options: HeartbeatOptions, nowMs: number): 'wait' | 'ping' | 'stale' {
    if (nowMs < this.#dueAtMs(options)) return 'wait';
    if (this.#missed === options.maxMissed) return 'stale';
    this.#missed += 1;
    return 'ping';
  }

  /** Milliseconds until `tick` has something new to say. */
  nextTickMs(options: HeartbeatOptions, nowMs: number): number {
    return Math.max(this.#dueAtMs(options) - nowMs, 1);
  }

  #dueAtMs(options: HeartbeatOptions): number {
    const firstMs = this.intervalMs(options);
    const againMs = Math.min(firstMs, options.intervalMs);
    return this.#lastSeenMs + (firstMs + againMs * this.#missed) * HEARTBEAT_SLACK;
  }
}
