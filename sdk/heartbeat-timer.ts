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

export class HeartbeatTimer {
  readonly #options: HeartbeatTimerOptions;
  readonly #heartbeat: Heartbeat;
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
    this.#heartbeat.received(this.#options.clock.nowMs());
  }

  /** @param answerMs how long the other side has; an interval by default */
  ping(answerMs?: number): void {
    const nowMs = this.#options.clock.nowMs();
    this.#options.sendPing(nowMs);
    this.#heartbeat.pinged(nowMs, answerMs);
    this.#arm();
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
