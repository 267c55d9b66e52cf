/**
 * What a client measured since its last report, in the form of REPORT. Counts live on over connections, so that a
 * loss which ended one is told on the next.
 *
 * @see docs/protocol.md, "REPORT"
 */
import type { StringMap } from '../../protocol/index.js';

/** How much one round trip changes the smoothed one, as TCP does it (RFC 6298). */
const RTT_WEIGHT = 1 / 8;

/** How a connection came about; what the dialler does not know is absent. */
export interface LoginMeasured {
  readonly protocol: string;
  /** `only`, `first`, `raced`, `remembered`, `fallback`. */
  readonly why?: string | undefined;
  /** Candidates that failed before. */
  readonly losers?: number | undefined;
  readonly timings?:
    | {
        readonly resolveMs?: number | undefined;
        readonly connectMs?: number | undefined;
        readonly secureMs?: number | undefined;
        readonly loginMs?: number | undefined;
      }
    | undefined;
}

export class Measurements {
  #pings = 0;
  #lost = 0;
  #rttMs: number | undefined;

  /** Since the last report. */
  get pings(): number {
    return this.#pings;
  }

  pinged(): void {
    this.#pings += 1;
  }

  lost(): void {
    this.#lost += 1;
  }

  roundTrip(rttMs: number): void {
    this.#rttMs = this.#rttMs === undefined ? rttMs : this.#rttMs + (rttMs - this.#rttMs) * RTT_WEIGHT;
  }

  /** What there is to tell; counting begins anew. */
  take(login: LoginMeasured | undefined, heartbeatMs: number): StringMap {
    const { resolveMs, connectMs, secureMs, loginMs } = login?.timings ?? {};
    const all: Record<string, string | number | undefined> = {
      'resolve-ms': resolveMs,
      'connect-ms': connectMs,
      'secure-ms': secureMs,
      'login-ms': loginMs,
      'rtt-ms': this.#rttMs,
      pings: this.#pings,
      lost: this.#lost,
      'heartbeat-ms': heartbeatMs || undefined,
      protocol: login?.protocol,
      why: login?.why,
      losers: login?.losers,
    };
    this.#pings = this.#lost = 0;
    this.#rttMs = undefined;
    const report: Record<string, string> = {};
    for (const [key, value] of Object.entries(all)) {
      if (value !== undefined) report[key] = typeof value === 'number' ? `${Math.round(value)}` : value;
    }
    return report;
  }
}
