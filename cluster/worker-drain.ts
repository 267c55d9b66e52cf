/** An access worker's part in a drain: tells its connections to go, all at once or one after the other. */
import type { Worker } from '../actors/index.js';
import { type DrainPacing, PacedDrain } from './paced-drain.js';

export interface DrainMessage {
  /** A `GoAwayReason`. */
  readonly reason: number;
  readonly windowMs: number;
  /** Absent: everybody is told now and comes back at a random moment within the window. */
  readonly pacing?: DrainPacing | undefined;
}

/** Fine enough for a thousand connections a second to leave one by one. */
const TICK_MS = 10;

export class WorkerDrain {
  #timer: NodeJS.Timeout | undefined;

  /** @param workers access workers that do the same */
  start(worker: Worker, workers: number, { reason, windowMs, pacing }: DrainMessage): void {
    this.stop();
    const { sessions, now } = worker;
    if (pacing === undefined) {
      for (const session of sessions.values()) session.drain(reason, windowMs);
      return;
    }
    const drain = new PacedDrain({ ...pacing, reason, sessions: sessions.values(), workers, nowMs: now() });
    this.#timer = setInterval(() => {
      if (drain.tick(now())) this.stop();
    }, TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
