/**
 * What a client measured, in the form of REPORT.
 *
 * @see docs/protocol.md, "REPORT"
 */
import type { StringMap } from '../../protocol/index.js';

/** How a connection came about; what the dialler does not know is absent. */
export interface LoginMeasured {
  readonly protocol?: string | undefined;
  /** `only`, `first`, `raced`, `remembered`, `fallback`. */
  readonly why?: string | undefined;
  /** Candidates that failed before. */
  readonly losers?: number | undefined;
  readonly resolveMs?: number | undefined;
  readonly connectMs?: number | undefined;
  readonly secureMs?: number | undefined;
  readonly loginMs?: number | undefined;
}

export interface Measurements extends LoginMeasured {
  /** Smoothed. */
  readonly rttMs: number | undefined;
  /** Since the last report: pings that were answered or lost, and those lost. */
  readonly pings: number;
  readonly lost: number;
  /** In force. */
  readonly heartbeatMs: number | undefined;
}

/** @returns `rttMs` under the key `rtt-ms` and so on, in whole numbers; what is not known is left out */
export function reportOf(measurements: Measurements): StringMap {
  const report: Record<string, string> = {};
  for (const [key, value] of Object.entries(measurements)) {
    if (value !== undefined)
      report[key.replace('Ms', '-ms')] = `${typeof value === 'number' ? Math.round(value) : value}`;
  }
  return report;
}
