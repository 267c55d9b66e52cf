/** The metrics of a whole node: its own, and those of its access workers added up by name. */
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ActorRef, DeliveryResult } from '../actors/index.js';
import type { SettledEvent } from './events/index.js';
import { LoopDelay } from './loop-delay.js';
import { within } from './within.js';

/** A worker that does not answer a scrape by then is left out. */
const SCRAPE_TIMEOUT_MS = 1_000;
/** Gauges named like counters, which `promtool check metrics` refuses; the same without `_total` tell it by type. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

type MetricJson = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number];

/** What others hold and the metrics read when asked. */
export interface NodeFigures {
  /** Connection events that are not settled, by business. */
  readonly eventsPending: () => Readonly<Record<string, number>>;
  readonly revocations: () => number;
}

export class NodeMetrics {
  readonly #registry = new Registry();
  readonly #loopDelay: LoopDelay;
  /** By result; written for every push, so a plain number each. */
  readonly #pushes = new Map<DeliveryResult['result'], number>();
  readonly #overload: Gauge;
  readonly #events: Counter<'business' | 'type' | 'outcome'>;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    for (const name of MISNAMED) this.#registry.removeSingleMetric(name);
    const pushes = this.#pushes;
    new Counter({
      name: 'trunkline_pushes_total',
      help: 'Pushes to devices, by result as the back-end was told',
      labelNames: ['result'],
      registers,
      collect() {
        this.reset();
        for (const [result, count] of pushes) this.inc({ result }, count);
      },
    });
    this.#overload = new Gauge({
      name: 'trunkline_overload_level',
      help: 'What the node sheds: 0 nothing, 1 logins, 2 droppable pushes too',
      registers,
    });
    this.#events = new Counter({
      name: 'trunkline_events_total',
      help: 'Connection events to back-ends, by what became of them',
      labelNames: ['business', 'type', 'outcome'],
      registers,
    });
    this.#loopDelay = new LoopDelay(this.#registry, 'main');
  }

  /** Of the main thread, 99th percentile since the last scrape. */
  eventLoopDelayMs(): number {
    return this.#loopDelay.p99Ms();
  }

  eventSettled({ business, type, outcome }: SettledEvent): void {
    this.#events.inc({ business, type, outcome });
  }

  watch({ eventsPending, revocations }: NodeFigures): void {
    const registers = [this.#registry];
    new Gauge({
      name: 'trunkline_events_pending',
      help: 'Connection events that wait or are on their way to a back-end',
      labelNames: ['business'],
      registers,
      collect() {
        this.reset();
        for (const [business, count] of Object.entries(eventsPending())) this.set({ business }, count);
      },
    });
    new Gauge({
      name: 'trunkline_revocations',
      help: 'Revocations in force',
      registers,
      collect() {
        this.set(revocations());
      },
    });
  }

  pushed({ result }: DeliveryResult): void {
    this.#pushes.set(result, (this.#pushes.get(result) ?? 0) + 1);
  }

  /**
   * @param others metrics of other parts of the main thread, as prom-client's JSON
   * @returns Prometheus text
   */
  async text(workers: readonly ActorRef[], overloadLevel: number, others: readonly object[][] = []): Promise<string> {
    this.#overload.set(overloadLevel);
    const own = (await this.#registry.getMetricsAsJSON()).map(withoutUnknowns);
    const theirs = await Promise.all(workers.map(scrape));
    return AggregatorRegistry.aggregate([own, ...others, ...theirs]).metrics();
  }

  stop(): void {
    this.#loopDelay.stop();
  }
}

/** Two scrapes in a row find no measurement in between, which the mean of is no number. */
function withoutUnknowns(metric: MetricJson): object {
  return { ...metric, values: metric.values.filter(({ value }) => !Number.isNaN(value)) };
}

async function scrape(worker: ActorRef): Promise<object[]> {
  const answer = worker.sendAndReceive('metricsJson', {}) as Promise<{ metrics: object[] }>;
  const reply = await within(
    SCRAPE_TIMEOUT_MS,
    answer.catch(() => undefined),
  );
  return reply?.metrics ?? [];
}
