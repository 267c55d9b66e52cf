/** The steps of a stop: each has its end, so that the whole ends in time, and none keeps the next one from its turn. */
import type { Logger } from './logger.js';
import { within } from './within.js';

/** Of the drain time: when nobody waits any more for a part that hangs. */
const END_SHARE = 0.95;
const MIN_STEP_MS = 200;

export class StopSteps {
  readonly #startedMs = performance.now();
  readonly #drainMs: number;
  readonly #log: Logger;

  constructor(drainMs: number, log: Logger) {
    this.#drainMs = drainMs;
    this.#log = log;
  }

  /** Milliseconds until a share of the drain time is over; a little time in any case. */
  left(share: number): number {
    return Math.max(this.#startedMs + this.#drainMs * share - performance.now(), MIN_STEP_MS);
  }

  /** Waits for a part, and logs what goes wrong. Never rejects. */
  async step(part: string, stopping: Promise<unknown> | undefined): Promise<void> {
    const stopped = Promise.resolve(stopping).then(() => true);
    try {
      if ((await within(this.left(END_SHARE), stopped)) !== true) {
        this.#log.warn('a part of the node did not stop', { part });
      }
    } catch (error) {
      this.#log.warn('a part of the node failed to stop', { part, error: String(error) });
    }
  }
}
