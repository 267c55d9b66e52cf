/**
 * The overload of a whole node, as its main thread sees it: the board that its workers share, its own measurements, and
 * the sentence that `/readyz` and the log give as the reason.
 *
 * @see docs/operations.md, "Overload"
 */
import type { OverloadLevel } from '../actors/index.js';
import type { Logger } from './logger.js';
import {
  beatNow,
  createOverloadBoard,
  MAIN_ROW,
  MEMORY_ROW,
  OverloadBoard,
  type OverloadCause,
  rowOfWorker,
} from './overload-board.js';
import { type OverloadSettings, OverloadWatch } from './overload-watch.js';

export interface OverloadState {
  readonly level: OverloadLevel;
  /** Empty at level 0. */
  readonly reason: string;
}

const CAUSES: Readonly<Record<OverloadCause, string>> = {
  loop: 'event loop is late',
  memory: 'heap is full',
  silent: 'does not answer',
};
/** A thread that is busy all the time is not overloaded while its loop is on time. */
const ALMOST_OVERLOADED = 0.99;
/** How often a change is looked for, to be logged. */
const LOG_EVERY_MS = 1_000;

export class NodeOverload {
  /** Handed to every access worker. */
  readonly shared: SharedArrayBuffer;
  readonly #board: OverloadBoard;
  readonly #watch: OverloadWatch;
  readonly #log: Logger;
  #settings: OverloadSettings;
  #logged: OverloadLevel = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(workers: number, settings: OverloadSettings, log: Logger) {
    this.shared = createOverloadBoard(workers);
    this.#board = new OverloadBoard(this.shared);
    this.#watch = new OverloadWatch(this.shared, MAIN_ROW, settings);
    this.#settings = settings;
    this.#log = log;
  }

  start(): void {
    this.#watch.start();
    this.#timer = setInterval(() => this.#logChange(), LOG_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#watch.stop();
  }

  /** The worker's thread has ended: what it last wrote says nothing any more. */
  workerGone(index: number): void {
    this.#board.clear(rowOfWorker(index));
  }

  reconfigure(settings: OverloadSettings): void {
    this.#settings = settings;
    this.#watch.reconfigure(settings);
  }

  /** The worst of all threads and the memory. */
  state(): OverloadState {
    const beat = beatNow();
    let worst: OverloadState = { level: 0, reason: '' };
    for (let row = 0; row < this.#board.rows; row++) {
      const { level, cause } = this.#board.read(row, beat, this.#settings.loopDelayMs);
      if (cause !== undefined && level > worst.level) worst = { level, reason: `overloaded: ${sentence(row, cause)}` };
    }
    return worst;
  }

  /** The busiest of all threads: 0 idle to 1 and above overloaded. */
  load(): number {
    let load = 0;
    for (let row = 0; row < this.#board.rows; row++) load = Math.max(load, this.#board.loadOf(row));
    // What sheds load for another reason, such as memory, is no place to send anybody to.
    return this.state().level > 0 ? Math.max(load, 1) : Math.min(load, ALMOST_OVERLOADED);
  }

  #logChange(): void {
    const { level, reason } = this.state();
    if (level === this.#logged) return;
    const entry = { level, before: this.#logged, ...(reason === '' ? {} : { reason }) };
    if (level > this.#logged) this.#log.warn('overload level changed', entry);
    else this.#log.info('overload level changed', entry);
    this.#logged = level;
  }
}

function sentence(row: number, cause: OverloadCause): string {
  if (row === MEMORY_ROW) return 'resident memory is above its limit';
  return `${row === MAIN_ROW ? 'main thread' : `access worker ${row - rowOfWorker(0)}`} ${CAUSES[cause]}`;
}
