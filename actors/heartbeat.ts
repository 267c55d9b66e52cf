/**
 * Liveness of one connection, judged without a timer of its own: the worker's wheel asks. Kept as two numbers
 * per connection; the intervals are the worker's.
 */
export interface HeartbeatOptions {
  readonly intervalMs: number;
  /** Heartbeats without any answer before the peer counts as stale. */
  readonly maxMissed: number;
}

export class Heartbeat {
  #lastSeenMs: number;
  #missed = 0;

  constructor(nowMs: number) {
    this.#lastSeenMs = nowMs;
  }

  /** Any inbound frame proves life, not only a pong. */
  seen(nowMs: number): void {
    this.#lastSeenMs = nowMs;
    this.#missed = 0;
  }

  /** What the connection should do at `nowMs`; after `stale` the caller closes it. */
  tick({ intervalMs, maxMissed }: HeartbeatOptions, nowMs: number): 'wait' | 'ping' | 'stale' {
    if (nowMs - this.#lastSeenMs < intervalMs * (this.#missed + 1)) return 'wait';
    if (this.#missed === maxMissed) return 'stale';
    this.#missed += 1;
    return 'ping';
  }

  /** Milliseconds until `tick` has something new to say. */
  nextTickMs({ intervalMs }: HeartbeatOptions, nowMs: number): number {
    return Math.max(this.#lastSeenMs + intervalMs * (this.#missed + 1) - nowMs, 1);
  }
}
