/**
 * The metrics of a node among others, read when asked.
 *
 * @see docs/operations.md, "Metrics"
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { ClusterStatus } from './cluster-view.js';
import type { BusCount } from './measured-bus.js';

export interface ClusterFigures {
  readonly status: () => ClusterStatus;
  readonly counts: () => { readonly renewalsFailed: number; readonly sweeps: number; readonly sweptRoutes: number };
  readonly bus: () => readonly BusCount[];
}

const STATES = ['joined', 'suspect', 'gone'] as const;

export class ClusterMetrics {
  readonly #registry = new Registry();

  constructor({ status, counts, bus }: ClusterFigures) {
    const registers = [this.#registry];
    new Gauge({
      name: 'trunkline_nodes',
      help: 'Nodes of the service as this one sees them, itself included, by state',
      labelNames: ['state'],
      registers,
      collect() {
        const { nodes } = status();
        for (const state of STATES) this.set({ state }, nodes.filter((node) => node.state === state).length);
      },
    });
    new Gauge({
      name: 'trunkline_lease_age_seconds',
      help: "Since this node's lease was last renewed, at most the length of a lease",
      registers,
      collect() {
        this.set((status().nodes.find(({ own }) => own)?.leaseAgeMs ?? 0) / 1_000);
      },
    });
    this.#counter(
      'trunkline_lease_renewals_failed_total',
      'Renewals of the lease that failed',
      () => counts().renewalsFailed,
    );
    this.#counter('trunkline_sweeps_total', 'Gone nodes that this one swept', () => counts().sweeps);
    this.#counter(
      'trunkline_swept_routes_total',
      'Routes of gone nodes that this one withdrew',
      () => counts().sweptRoutes,
    );
    this.#bus('trunkline_bus_messages_total', 'Messages between nodes', bus, ({ messages }) => messages);
    this.#bus('trunkline_bus_bytes_total', 'Bytes between nodes', bus, ({ bytes }) => bytes);
  }

  async json(): Promise<object[]> {
    return this.#registry.getMetricsAsJSON();
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

  #bus(name: string, help: string, counts: () => readonly BusCount[], value: (count: BusCount) => number): void {
    new Counter({
      name,
      help: `${help}, to a node or a group, by what became of them`,
      labelNames: ['to', 'result'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const count of counts()) this.inc({ to: count.kind, result: count.result }, value(count));
      },
    });
  }
}
