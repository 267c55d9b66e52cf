/**
 * Where the threads of a node tell one another how overloaded they are: a row of shared memory each. Each row has one
 * writer. A thread that is stuck cannot say so itself, so beside its levels it writes when it last did, and whoever
 * reads judges its silence. The process's memory, which belongs to no thread, has a row that the main thread writes.
 *
 * ```
 *         0        1        2            3
 *      [memory] [main] [worker 0] [worker 1] ...     a row: loop, memory, beat, load
 *                                    levels 0 to 2; beat in ms of a shared clock, modulo 2^32, 0: does not run;
 *                                    load in thousandths
 * ```
 */
import type { OverloadLevel } from '../actors/index.js';

export const MEMORY_ROW = 0;
export const MAIN_ROW = 1;
const FIRST_WORKER_ROW = 2;

const COLUMNS = 4;
const LOOP = 0;
const MEMORY = 1;
const BEAT = 2;
const LOAD = 3;
const LOAD_UNITS = 1_000;

/** A thread silent for this long is stuck; at least as long as `STUCK_TIMES_LIMIT` of its allowed delays. */
const STUCK_MS = 3_000;
const STUCK_TIMES_LIMIT = 4;

export type OverloadCause = 'loop' | 'memory' | 'silent';

export interface RowState {
  readonly level: OverloadLevel;
  /** Present from level 1 on. */
  readonly cause?: OverloadCause;
}

const CALM: RowState = { level: 0 };

export function rowOfWorker(index: number): number {
  return FIRST_WORKER_ROW + index;
}

export function createOverloadBoard(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * COLUMNS * rowOfWorker(workers));
}

/** Milliseconds of the clock that all threads of a process share; never 0. */
export function beatNow(): number {
  return Number(BigInt.asIntN(32, process.hrtime.bigint() / 1_000_000n)) || 1;
}

export class OverloadBoard {
  readonly #cells: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.#cells = new Int32Array(shared);
  }

  get rows(): number {
    return this.#cells.length / COLUMNS;
  }

  write(row: number, levels: { loop: OverloadLevel; memory: OverloadLevel }, beat: number): void {
    const at = row * COLUMNS;
    Atomics.store(this.#cells, at + LOOP, levels.loop);
    Atomics.store(this.#cells, at + MEMORY, levels.memory);
    Atomics.store(this.#cells, at + BEAT, beat);
  }

  /** A thread is gone, or has not begun. */
  clear(row: number): void {
    this.write(row, { loop: 0, memory: 0 }, 0);
    this.writeLoad(row, 0);
  }

  /** @param load 0 idle to 1 and above overloaded */
  writeLoad(row: number, load: number): void {
    Atomics.store(this.#cells, row * COLUMNS + LOAD, Math.round(load * LOAD_UNITS));
  }

  loadOf(row: number): number {
    return Atomics.load(this.#cells, row * COLUMNS + LOAD) / LOAD_UNITS;
  }

  /** @param loopDelayMs what a thread's delay may be */
  read(row: number, beat: number, loopDelayMs: number): RowState {
    const at = row * COLUMNS;
    const last = Atomics.load(this.#cells, at + BEAT);
    if (last === 0) return CALM;
    const loop = Atomics.load(this.#cells, at + LOOP) as OverloadLevel;
    const memory = Atomics.load(this.#cells, at + MEMORY) as OverloadLevel;
    if (loop > 0 || memory > 0) {
      return memory > loop ? { level: memory, cause: 'memory' } : { level: loop, cause: 'loop' };
    }
    const silentMs = (beat - last) | 0;
    const isStuck = row !== MEMORY_ROW && silentMs >= Math.max(STUCK_MS, loopDelayMs * STUCK_TIMES_LIMIT);
    return isStuck ? { level: 1, cause: 'silent' } : CALM;
  }
}
