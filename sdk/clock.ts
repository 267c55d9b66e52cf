/**
 * Time as a port, so that tests move it by hand. Wall time on purpose: token expiry is wall time, and a clock
 * that jumps costs at most one early or late heartbeat.
 */

/** Longer delays overflow the platform's 32-bit timers and would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Calls `callback` once, after `delayMs`. @returns cancels it; harmless when it has fired */
  setTimer(callback: () => void, delayMs: number): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
