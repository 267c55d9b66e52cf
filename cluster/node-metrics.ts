/** The metrics of a whole node: its own, and those of its access workers added up by name. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ActorRef, DeliveryResult } from '../actors/index.js';
import { within } from './within.js';

const NANOSECONDS = 1e9;
/** A worker that does not answer a scrape by then is left out. */
const SCRAPE_TIMEOUT_MS = 1_000;

export class NodeMetrics {
  readonly #registry = new Registry();
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 10 });
  readonly #pushes: Counter<'result'>;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#pushes = new Counter({
      name: 'trunkline_pushes_total',
      help: 'Pushes to devices, by result as the back-end was told',
      labelNames: ['result'],
      registers,
    });
    const loopDelay = this.#loopDelay;
    loopDelay.enable();
    new Gauge({
      name: 'trunkline_event_loop_delay_seconds',
      help: 'How late the event loop of a thread was since the last scrape, 99th percentile',
      labelNames: ['thread'],
      registers,
      collect() {
        this.set({ thread: 'main' }, loopDelay.percentile(99) / NANOSECONDS);
        loopDelay.reset();
      },
    });
  }

  pushed({ result }: DeliveryResult): void {
    this.#pushes.inc({ result });
  }

  /** @returns Prometheus text */
  async text(workers: readonly ActorRef[]): Promise<string> {
    const own = (await this.#registry.getMetricsAsJSON()) as object[];
    const theirs = await Promise.all(workers.map(scrape));
    return AggregatorRegistry.aggregate([own, ...theirs]).metrics();
  }

  stop(): void {
    this.#loopDelay.disable();
  }
}

async function scrape(worker: ActorRef): Promise<object[]> {
  const answer = worker.sendAndReceive('metricsJson', {}) as Promise<{ metrics: object[] }>;
  const reply = await within(
    SCRAPE_TIMEOUT_MS,
    answer.catch(() => undefined),
  );
  return reply?.metrics ?? [];
}
