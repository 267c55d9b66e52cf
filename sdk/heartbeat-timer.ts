/** Drives a `Heartbeat` with one timer, set anew each time it fires and never per frame. */
import type { Clock } from './clock.js';
import { Heartbeat } from './heartbeat.js';

export interface HeartbeatTimerOptions {
  /** 0: no heartbeat of our own; probes still work. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly sendPing: (opaque: number) => void;
  readonly onStale: () => void;
}

/** What heartbeats show of the network. */
export interface HeartbeatWatcher {
  /** After a ping something came. @param silenceMs how long nothing had gone either way before the ping */
  answered(silenceMs: number): void;
  /** The answer to the last ping itself came. */
  roundTrip(rttMs: number): void;
  /** The link is lost, and a ping was unanswered. */
  unanswered(silenceMs: number): void;
}

export class HeartbeatTimer {
  watcher: HeartbeatWatcher | undefined;
  readonly #options: HeartbeatTimerOptions;
  readonly #heartbeat: Heartbeat;
  #pingedAtMs: number | undefined;
  #cancelTimer = (): void => {};

  constructor(options: HeartbeatTimerOptions) {
    this.#options = options;
    this.#heartbeat = new Heartbeat(options.intervalMs || Number.POSITIVE_INFINITY, options.clock.nowMs());
    this.#arm();
  }

  sent(): void {
    this.#heartbeat.sent(this.#options.clock.nowMs());
  }

  received(): void {
    const { silenceMs } = this.#heartbeat;
    this.#heartbeat.received(this.#options.clock.nowMs());
    if (silenceMs !== undefined) this.watcher?.answered(silenceMs);
  }

  /** A PONG came. */
  ponged(opaque: number): void {
    if (opaque !== this.#pingedAtMs) return;
    this.#pingedAtMs = undefined;
    this.watcher?.roundTrip(Math.max(0, this.#options.clock.nowMs() - opaque));
  }

  /**
   * Keeps another interval from now on.
   *
   * @param answerMs the longest that a ping waits for its answer; the interval where that is less
   */
  retime(intervalMs: number, answerMs: number): void {
    this.#heartbeat.intervalMs = intervalMs;
    this.#heartbeat.answerMs = answerMs;
    this.#arm();
  }

  /** @param answerMs how long the other side has; an interval by default */
  ping(answerMs?: number): void {
    const nowMs = this.#options.clock.nowMs();
    this.#heartbeat.pinged(nowMs, answerMs);
    this.#pingedAtMs = nowMs;
    this.#options.sendPing(nowMs);
    this.#arm();
  }

  /** The link is given up, or was lost. */
  lost(): void {
    const { silenceMs } = this.#heartbeat;
    if (silenceMs !== undefined) this.watcher?.unanswered(silenceMs);
  }

  stop(): void {
    this.#cancelTimer();
  }

  #arm(): void {
    const { clock } = this.#options;
    this.#cancelTimer();
    this.#cancelTimer = clock.setTimer(() => this.#tick(), this.#heartbeat.dueInMs(clock.nowMs()));
  }

  #tick(): void {
    const verdict = this.#heartbeat.tick(this.#options.clock.nowMs());
    if (verdict === 'stale') return this.#options.onStale();
    if (verdict === 'ping') return this.ping();
    this.#arm();
  }
}
