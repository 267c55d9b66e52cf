/**
 * Liveness of the client's link, judged without timers of its own. A ping goes out when either direction was
 * silent for an interval; silence for another interval after it makes the link stale. Judging by the unanswered
 * ping rather than by elapsed time alone keeps a link alive whose timer a sleeping laptop or a background tab held back.
 */
export class Heartbeat {
  /** May change while the link lives. */
  intervalMs: number;
  /** The longest that a ping of ours waits for its answer. */
  answerMs = Number.POSITIVE_INFINITY;
  #lastSentMs: number;
  #lastReceivedMs: number;
  /** By when something must have come, while a ping is unanswered. */
  #answerByMs: number | undefined;
  #silenceMs: number | undefined;

  constructor(intervalMs: number, nowMs: number) {
    this.intervalMs = intervalMs;
    this.#lastSentMs = nowMs;
    this.#lastReceivedMs = nowMs;
  }

  /** How long nothing had gone either way before the ping that is unanswered; undefined when none is. */
  get silenceMs(): number | undefined {
    return this.#silenceMs;
  }

  sent(nowMs: number): void {
    this.#lastSentMs = nowMs;
  }

  /** Any inbound byte proves life, not only a pong. */
  received(nowMs: number): void {
    this.#lastReceivedMs = nowMs;
    this.#answerByMs = this.#silenceMs = undefined;
  }

  /** A ping goes out; something must come within `answerMs`. To be told before `sent`. */
  pinged(nowMs: number, answerMs: number = Math.min(this.intervalMs, this.answerMs)): void {
    this.#silenceMs ??= nowMs - Math.max(this.#lastSentMs, this.#lastReceivedMs);
    this.#lastSentMs = nowMs;
    this.#answerByMs = Math.min(this.#answerByMs ?? Number.POSITIVE_INFINITY, nowMs + answerMs);
  }

  /** What to do at `nowMs`; after `ping` the caller reports `pinged`, after `stale` it gives the link up. */
  tick(nowMs: number): 'wait' | 'ping' | 'stale' {
    if (this.#answerByMs !== undefined) return nowMs >= this.#answerByMs ? 'stale' : 'wait';
    return nowMs - Math.min(this.#lastSentMs, this.#lastReceivedMs) >= this.intervalMs ? 'ping' : 'wait';
  }

  /** How long until `tick` can say something else than `wait`. */
  dueInMs(nowMs: number): number {
    const dueMs = this.#answerByMs ?? Math.min(this.#lastSentMs, this.#lastReceivedMs) + this.intervalMs;
    return Math.max(0, dueMs - nowMs);
  }
}
