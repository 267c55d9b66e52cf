/**
 * How late this thread's event loop is, for metrics and the operator. Node's monitor counts from one of its own timers
 * to the next; its interval is taken off, and is long enough that an idle thread is not woken for it all the time.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

const SAMPLE_MS = 50;
const NANOSECONDS_PER_MS = 1e6;

export class LoopDelay {
  readonly #monitor = monitorEventLoopDelay({ resolution: SAMPLE_MS });

  /** @param thread value of the metric's label */
  constructor(registry: Registry, thread: string) {
    this.#monitor.enable();
    const p99Seconds = () => this.p99Ms() / 1_000;
    const reset = () => this.#monitor.reset();
    new Gauge({
      name: 'trunkline_event_loop_delay_seconds',
      help: 'How late the event loop of a thread was since the last scrape, 99th percentile',
      labelNames: ['thread'],
      registers: [registry],
      collect() {
        this.set({ thread }, p99Seconds());
        reset();
      },
    });
  }

  stop(): void {
    this.#monitor.disable();
  }

  /** 99th percentile since the last scrape, in milliseconds. */
  p99Ms(): number {
    return Math.max(0, this.#monitor.percentile(99) / NANOSECONDS_PER_MS - SAMPLE_MS);
  }
}
