/**
 * How busy this thread is, and from that how long multicasts are gathered: not at all while it is idle, since
 * waiting would only add latency, and the whole window from 40 % on, where every write that is saved counts.
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';

const SAMPLE_MS = 50;
/** Below this share of busy time nothing is gathered; from `FULL_LOAD` on for the whole window. */
const IDLE_LOAD = 0.1;
const FULL_LOAD = 0.4;
/** Weight of the newest sample. */
const SMOOTHING = 0.3;

export class LoadMeter {
  #last: EventLoopUtilization = performance.eventLoopUtilization();
  #sampledAtMs = 0;
  #load = 0;

  /** Share of time this thread's event loop was busy, 0 to 1, smoothed over some hundred milliseconds. */
  load(nowMs: number): number {
    if (nowMs - this.#sampledAtMs >= SAMPLE_MS) {
      const current = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(current, this.#last);
      this.#last = current;
      this.#sampledAtMs = nowMs;
      this.#load += SMOOTHING * (utilization - this.#load);
    }
    return this.#load;
  }
}

/** @returns milliseconds to gather, 0 to `maxWindowMs` */
export function gatherWindowMs(load: number, maxWindowMs: number): number {
  const share = (load - IDLE_LOAD) / (FULL_LOAD - IDLE_LOAD);
  return Math.round(maxWindowMs * Math.min(Math.max(share, 0), 1));
}
