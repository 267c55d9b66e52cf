/**
 * Measures one thread and writes what it found on the board: its event loop with a timer of its own (the exact time a
 * timer is late is what a client would feel), its heap, and in the main thread the memory of the whole process too.
 *
 * What a thread sheds follows from its own row, the main thread's, through which every login and push goes, and the
 * memory's; another worker's trouble is not its own, since the kernel would only send it more of the same.
 */
import { getHeapStatistics } from 'node:v8';
import { LoadMeter, type OverloadLevel } from '../actors/index.js';
import { beatNow, MAIN_ROW, MEMORY_ROW, OverloadBoard } from './overload-board.js';
import { delayThresholds, HEAP_THRESHOLDS, memoryThresholds, OverloadGauge, SmoothedDelay } from './overload-gauge.js';
import { memoryLimitBytes } from './overload-memory.js';

export interface OverloadSettings {
  /** Event-loop delay from which a thread is overloaded. */
  readonly loopDelayMs: number;
  /** Resident memory from which the process is; 0 means four fifths of what it may have. */
  readonly memoryMiB: number;
}

/** Short against any sensible `loopDelayMs`, since a stall is seen only from the timer's due time on. */
const TICK_MS = 50;
const MEMORY_EVERY_TICKS = 20;

export class OverloadWatch {
  readonly #board: OverloadBoard;
  readonly #row: number;
  readonly #delay = new SmoothedDelay();
  readonly #busy = new LoadMeter();
  readonly #loop: OverloadGauge;
  readonly #heap = new OverloadGauge(HEAP_THRESHOLDS);
  readonly #memory: OverloadGauge;
  #settings: OverloadSettings;
  #level: OverloadLevel = 0;
  #timer: NodeJS.Timeout | undefined;
  #firedAtMs = 0;
  #ticks = 0;

  constructor(shared: SharedArrayBuffer, row: number, settings: OverloadSettings) {
    this.#board = new OverloadBoard(shared);
    this.#row = row;
    this.#settings = settings;
    this.#loop = new OverloadGauge(delayThresholds(settings.loopDelayMs));
    this.#memory = new OverloadGauge(memoryThresholds(memoryLimitBytes(settings.memoryMiB)));
  }

  /** What this thread sheds now. */
  get level(): OverloadLevel {
    return this.#level;
  }

  start(): void {
    this.#firedAtMs = performance.now();
    this.#board.write(this.#row, { loop: 0, memory: 0 }, beatNow());
    this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#board.clear(this.#row);
  }

  reconfigure(settings: OverloadSettings): void {
    this.#settings = settings;
    this.#loop.configure(delayThresholds(settings.loopDelayMs));
    this.#memory.configure(memoryThresholds(memoryLimitBytes(settings.memoryMiB)));
  }

  #schedule(): void {
    this.#timer = setTimeout(() => this.#tick(), TICK_MS).unref();
  }

  #tick(): void {
    const nowMs = performance.now();
    const spanMs = nowMs - this.#firedAtMs;
    this.#firedAtMs = nowMs;
    const { loopDelayMs } = this.#settings;
    const loop = this.#loop.measure(this.#delay.tick(Math.max(spanMs - TICK_MS, 0), spanMs, loopDelayMs));
    if (this.#ticks++ % MEMORY_EVERY_TICKS === 0) this.#measureMemory();
    const beat = beatNow();
    this.#board.write(this.#row, { loop, memory: this.#heap.level }, beat);
    // Busy for all of its time a thread may still be well; late by what overload is, it is not.
    this.#board.writeLoad(this.#row, Math.max(this.#busy.load(nowMs), this.#delay.valueMs / loopDelayMs));
    const own = [this.#row, MAIN_ROW, MEMORY_ROW].map((row) => this.#board.read(row, beat, loopDelayMs).level);
    this.#level = Math.max(...own) as OverloadLevel;
    this.#schedule();
  }

  #measureMemory(): void {
    const { used_heap_size, heap_size_limit } = getHeapStatistics();
    this.#heap.measure(used_heap_size / heap_size_limit);
    if (this.#row !== MAIN_ROW) return;
    this.#board.write(MEMORY_ROW, { loop: 0, memory: this.#memory.measure(process.memoryUsage.rss()) }, beatNow());
  }
}
