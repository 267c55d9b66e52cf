/**
 * When what was gathered for another thread leaves: at the end of this turn, or, while this thread is busy, a
 * moment later. Waking the other thread costs more than all a message holds, so under load a few milliseconds of
 * items share one.
 */
import { gatherWindowMs, type LoadMeter } from './load-meter.js';

/** The longest anything waits for company. */
const MAX_GATHER_MS = 2;

export type GatherWindow = () => number;

export function createGatherWindow(load: LoadMeter, now: () => number): GatherWindow {
  return () => gatherWindowMs(load.load(now()), MAX_GATHER_MS);
}

/** Never waits beyond the turn. */
export const THIS_TURN: GatherWindow = () => 0;

export class Gatherer {
  readonly #flush: () => void;
  readonly #windowMs: GatherWindow;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(flush: () => void, windowMs: GatherWindow) {
    this.#flush = flush;
    this.#windowMs = windowMs;
  }

  /** Something was gathered. */
  wake(): void {
    if (this.#immediate !== undefined || this.#timer !== undefined) return;
    const windowMs = this.#windowMs();
    if (windowMs === 0) this.#immediate = setImmediate(() => this.flush());
    else this.#timer = setTimeout(() => this.flush(), windowMs);
  }

  flush(): void {
    this.cancel();
    this.#flush();
  }

  cancel(): void {
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = undefined;
    this.#timer = undefined;
  }
}
