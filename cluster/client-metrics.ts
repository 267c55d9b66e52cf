/**
 * What clients measured, from their REPORTs to Prometheus: by region, protocol and app version. A report comes from
 * outside, so every number in it is held to its form and to a bound, and what is not in order is left out.
 *
 * @see docs/client.md, "Measurements"
 */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { ClientKind, MeasurementSink } from '../actors/index.js';
import type { StringMap } from '../protocol/index.js';
import { ACCESS_PROTOCOLS, type AccessProtocol } from '../transports/index.js';

const PHASE_BUCKETS_S = [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
const HEARTBEAT_BUCKETS_S = [15, 30, 45, 60, 90, 120, 180, 240, 300, 600];

/** The longest time that counts, a day; heartbeats come near it. */
const MAX_MS = 86_400_000;
/** Of things counted since the report before. */
const MAX_COUNT = 10_000;

/** Up to nine digits, and a fraction that no measurement needs more of. */
const DECIMAL = /^\d{1,9}(?:\.\d{1,6})?$/;

const PHASES = { resolve: 'resolve-ms', connect: 'connect-ms', secure: 'secure-ms', login: 'login-ms' } as const;
const REASONS: ReadonlySet<string> = new Set(['only', 'first', 'raced', 'remembered', 'fallback']);
const PROTOCOLS: ReadonlySet<string> = new Set(ACCESS_PROTOCOLS);

type Labels = 'region' | 'protocol' | 'app_version';
type LabelValues = Readonly<Record<Labels, string>>;
const LABELS: readonly Labels[] = ['region', 'protocol', 'app_version'];

export class ClientMetrics implements MeasurementSink {
  readonly #phases: Histogram<Labels | 'phase'>;
  readonly #roundTrip: Histogram<Labels>;
  readonly #heartbeat: Histogram<Labels>;
  readonly #pings: Counter<Labels>;
  readonly #lost: Counter<Labels>;
  readonly #choices: Counter<Labels | 'why'>;
  readonly #losers: Counter<Labels>;
  readonly #reports: Counter<'result'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#phases = new Histogram({
      name: 'trunkline_client_phase_seconds',
      help: 'Phases of connecting, as clients measured them',
      labelNames: [...LABELS, 'phase'],
      buckets: PHASE_BUCKETS_S,
      registers,
    });
    this.#roundTrip = new Histogram({
      name: 'trunkline_client_rtt_seconds',
      help: 'Round trips of PING and PONG, as clients measured them',
      labelNames: LABELS,
      buckets: PHASE_BUCKETS_S,
      registers,
    });
    this.#heartbeat = new Histogram({
      name: 'trunkline_client_heartbeat_seconds',
      help: 'Heartbeat intervals that clients found, one observation a report',
      labelNames: LABELS,
      buckets: HEARTBEAT_BUCKETS_S,
      registers,
    });
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Counter({ name: `trunkline_client_${name}_total`, help, labelNames, registers });
    this.#pings = counter('pings', 'Pings of clients that report', LABELS);
    this.#lost = counter('lost_pings', 'Pings that were never answered', LABELS);
    this.#choices = counter('choices', 'Connections by why their protocol and access point won', [...LABELS, 'why']);
    this.#losers = counter('failed_candidates', 'Ways in that failed before one let the client in', LABELS);
    this.#reports = counter('reports', 'Reports, by whether all that is known in them was in order', ['result']);
  }

  take({ region, appVersion }: ClientKind, protocol: AccessProtocol, measurements: StringMap): void {
    const reading = new Reading(measurements);
    // A proxy may stand between: what the client speaks is what counts.
    const said = measurements['protocol'] ?? protocol;
    const spoken = PROTOCOLS.has(said) ? said : protocol;
    const labels = { region, protocol: spoken, app_version: appVersion };
    this.#times(labels, reading);
    this.#count(this.#pings, labels, reading.number('pings', MAX_COUNT));
    this.#count(this.#lost, labels, reading.number('lost', MAX_COUNT));
    this.#count(this.#losers, labels, reading.number('losers', MAX_COUNT));
    const why = measurements['why'];
    if (why !== undefined) this.#choices.inc({ ...labels, why: REASONS.has(why) ? why : 'other' });
    this.#reports.inc({ result: reading.isInOrder ? 'taken' : 'partly' });
  }

  #times(labels: LabelValues, reading: Reading): void {
    for (const [phase, key] of Object.entries(PHASES)) {
      const ms = reading.number(key, MAX_MS);
      if (ms !== undefined) this.#phases.observe({ ...labels, phase }, ms / 1_000);
    }
    const rttMs = reading.number('rtt-ms', MAX_MS);
    if (rttMs !== undefined) this.#roundTrip.observe(labels, rttMs / 1_000);
    const heartbeatMs = reading.number('heartbeat-ms', MAX_MS);
    if (heartbeatMs !== undefined) this.#heartbeat.observe(labels, heartbeatMs / 1_000);
  }

  #count(counter: Counter<Labels>, labels: LabelValues, count: number | undefined): void {
    if (count !== undefined && count > 0) counter.inc(labels, count);
  }
}

/** One report while it is read. */
class Reading {
  readonly #measurements: StringMap;
  /** Whether every value asked for was absent or a number within its bound. */
  isInOrder = true;

  constructor(measurements: StringMap) {
    this.#measurements = measurements;
  }

  number(key: string, max: number): number | undefined {
    const text = this.#measurements[key];
    if (text === undefined) return undefined;
    const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
    if (value <= max) return value;
    this.isInOrder = false;
    return undefined;
  }
}
