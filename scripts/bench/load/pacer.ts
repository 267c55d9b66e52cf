/**
 * When to send. `RatePacer` keeps a rate whatever comes back and stamps with the moment a message was due, so a
 * late sender shows in the latencies instead of hiding them; `WindowPacer` keeps so many broadcasts under way.
 *
 * Unless told otherwise, a running pacer never lets the process sleep (`setImmediate` over and over): a server that writes to a sleeping
 * reader pays for waking it, which would be charged to whichever server is measured.
 */
import { BenchError } from '../measure/bench-error.js';
import { nowUs } from './clock.js';
import { Histogram } from './histogram.js';
import type { Traffic } from './traffic.js';

/** Sends of one tick, so that a pacer that fell behind does not starve the readers. */
const MAX_SENDS_PER_TICK = 32;

export type Send = (dueUs: number) => void;

abstract class Pacer {
  /** Messages sent since the start. */
  sent = 0;
  #running = false;

  abstract tick(): void;

  /** @param sleep look every millisecond instead of all the time; for a slow rate beside a busy process */
  start(sleep = false): void {
    this.#running = true;
    const again = () => {
      if (!this.#running) return;
      this.tick();
      if (sleep) setTimeout(again, 1);
      else setImmediate(again);
    };
    again();
  }

  stop(): void {
    this.#running = false;
  }

  get running(): boolean {
    return this.#running;
  }
}

export class RatePacer extends Pacer {
  /** How late messages were sent, µs. */
  readonly lag = new Histogram();
  readonly #intervalUs: number;
  readonly #send: Send;
  #dueUs = 0;

  constructor(perSecond: number, send: Send) {
    super();
    this.#intervalUs = 1e6 / perSecond;
    this.#send = send;
  }

  override start(sleep = false): void {
    this.#dueUs = nowUs() + this.#intervalUs;
    super.start(sleep);
  }

  tick(): void {
    if (!this.running) return;
    const now = nowUs();
    for (let i = 0; i < MAX_SENDS_PER_TICK && this.#dueUs <= now; i++) {
      this.lag.record(now - this.#dueUs);
      this.sent++;
      this.#send(this.#dueUs);
      this.#dueUs += this.#intervalUs;
    }
  }
}

export class WindowPacer extends Pacer {
  readonly #broadcasts: number;
  readonly #members: number;
  readonly #traffic: Traffic;
  readonly #send: Send;
  readonly #pushesBefore: number;
  #lastPushes = 0;
  #lastProgressUs = 0;

  /** @param broadcasts kept under way at once, each to `members` connections of one fleet */
  constructor(broadcasts: number, members: number, traffic: Traffic, send: Send) {
    super();
    this.#broadcasts = broadcasts;
    this.#members = members;
    this.#traffic = traffic;
    this.#send = send;
    this.#pushesBefore = traffic.pushes;
  }

  /** @throws {BenchError} nothing arrived for five seconds */
  tick(): void {
    if (!this.running) return;
    const now = nowUs();
    const pushes = this.#traffic.pushes - this.#pushesBefore;
    if (pushes !== this.#lastPushes || this.sent === 0) {
      this.#lastPushes = pushes;
      this.#lastProgressUs = now;
    } else if (now - this.#lastProgressUs > 5e6) {
      throw new BenchError(`${this.sent * this.#members - pushes} deliveries did not arrive`);
    }
    while (this.sent * this.#members - pushes <= (this.#broadcasts - 1) * this.#members) {
      this.sent++;
      this.#send(now);
    }
  }
}
