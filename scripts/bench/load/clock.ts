/**
 * One monotonic clock for every process of a benchmark: microseconds of the machine's CLOCK_MONOTONIC, so a stamp
 * made in one process is compared in another. `performance.now()` counts from the start of its own process but on
 * the same clock, and is several times cheaper than `hrtime.bigint()`.
 */
const originUs = Number(process.hrtime.bigint()) / 1e3 - performance.now() * 1e3;

/** Microseconds with a fraction. */
export function nowUs(): number {
  return performance.now() * 1e3 + originUs;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
