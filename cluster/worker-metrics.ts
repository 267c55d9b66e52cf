/**
 * The metrics of one access worker, read from its counters when asked. The node adds the workers up, which
 * `prom-client` does by name.
 *
 * @see docs/operations.md, "Metrics"
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { OutcomeCode, type Worker } from '../actors/index.js';
import type { Outcome } from '../upstream/index.js';
import { ClientMetrics } from './client-metrics.js';
import { LoopDelay } from './loop-delay.js';

const LATENCY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class WorkerMetrics {
  readonly #registry = new Registry();
  /** What clients measured. */
  readonly clients = new ClientMetrics(this.#registry);
  readonly #loopDelay: LoopDelay;
  readonly #upstreamSeconds: Histogram<'business' | 'outcome'>;

  constructor(workerIndex: number) {
    const registers = [this.#registry];
    this.#loopDelay = new LoopDelay(this.#registry, `access-${workerIndex}`);
    this.#upstreamSeconds = new Histogram({
      name: 'trunkline_upstream_seconds',
      help: 'Upstream requests, from the client frame to the answer of the back-end',
      labelNames: ['business', 'outcome'],
      buckets: LATENCY_BUCKETS_S,
      registers,
    });
  }

  /** Exposes the worker's counters. */
  watch(worker: Worker): void {
    const { counters, sessions, groups } = worker;
    this.#gauge('trunkline_connections', 'Authenticated connections', () => sessions.size);
    this.#gauge('trunkline_groups', 'Groups with members, per worker', () => groups.size);
    this.#counter('trunkline_accepted_total', 'Links accepted, strangers included', () => counters.accepted);
    this.#counter('trunkline_logins_total', 'Logins that succeeded', () => counters.logins);
    this.#counter('trunkline_refused_logins_total', 'Logins that were refused', () => counters.refusedLogins);
    this.#counter('trunkline_frames_in_total', 'Frames received', () => counters.framesIn);
    this.#counter('trunkline_frames_out_total', 'Frames sent to one connection', () => counters.framesOut);
    this.#counter('trunkline_bytes_in_total', 'Bytes received', () => counters.bytesIn);
    this.#counter('trunkline_bytes_out_total', 'Bytes written', () => counters.bytesOut);
    this.#counter(
      'trunkline_multicast_deliveries_total',
      'Multicast messages handed to members',
      () => counters.multicastDeliveries,
    );
    this.#counter('trunkline_dropped_total', 'Pushes dropped from slow connections', () => counters.dropped);
    this.#counter('trunkline_expired_total', 'Pushes whose time to live passed in a queue', () => counters.expired);
    this.#counter('trunkline_device_calls_total', 'Requests of back-ends to devices', () => counters.calls);
    this.#counter(
      'trunkline_limited_requests_total',
      'Requests refused because their connection sent too many a second',
      () => counters.limitedRequests,
    );
    this.#counter(
      'trunkline_limited_reports_total',
      'Reports passed over because their connection sent too many',
      () => counters.limitedReports,
    );
    this.#labelled(
      'trunkline_refused_links_total',
      'Links cut off before they could say anything, by reason',
      'reason',
      () => counters.refusedLinks,
    );
    this.#labelled('trunkline_tls_handshakes_total', 'TLS handshakes that succeeded, by kind', 'kind', () =>
      Object.entries(counters.tlsHandshakes),
    );
    this.#pushOutcomes(worker);
    this.#closes(worker);
  }

  upstreamOutcome(business: string, { latencyMs, kind }: Outcome): void {
    this.#upstreamSeconds.observe({ business, outcome: kind }, latencyMs / 1_000);
  }

  /** 99th percentile since the last scrape. */
  eventLoopDelayMs(): number {
    return this.#loopDelay.p99Ms();
  }

  async json(): Promise<object[]> {
    return this.#registry.getMetricsAsJSON();
  }

  #pushOutcomes({ counters }: Worker): void {
    new Counter({
      name: 'trunkline_worker_pushes_total',
      help: 'Pushes to single connections by what became of them on the worker',
      labelNames: ['outcome'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [outcome, code] of Object.entries(OutcomeCode)) this.inc({ outcome }, counters.pushes[code]);
      },
    });
  }

  #closes({ counters }: Worker): void {
    this.#labelled(
      'trunkline_closes_total',
      'Connections ended, by close code; 0 is a peer that went without one',
      'code',
      () => counters.closes,
    );
  }

  #labelled(name: string, help: string, label: string, counts: () => Iterable<readonly [string | number, number]>) {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [value, count] of counts()) this.inc({ [label]: String(value) }, count);
      },
    });
  }

  #gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(value());
      },
    });
  }

  #counter(name: string, help: string, value: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  }
}
