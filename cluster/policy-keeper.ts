/**
 * What a node does for the control layer's policies: it hands them the state that operators set, and tells their figures in
 * its metrics. What a policy is, is for the control layer.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { ControlState } from './engines/contract/index.js';

export interface PolicyFigures {
  /** Bootstraps by the policy that matched; `none` when no one did. */
  readonly decisions: ReadonlyMap<string, number>;
  /** How often the file was taken over, and how often it was refused. */
  readonly loads: Readonly<Record<'applied' | 'refused', number>>;
  /** Whether the file as it is now was refused, and older policies are in force. */
  readonly isStale: boolean;
  /** Per cent in force, by rollout. */
  readonly rollouts: ReadonlyMap<string, number>;
}

export interface PolicyKeeper {
  /** Before anybody is served. @throws {EngineUnavailableError} */
  open(state: ControlState): Promise<void>;
  close(): void;
  figures(): PolicyFigures;
}

export class PolicyMetrics {
  readonly #registry = new Registry();

  constructor(figures: () => PolicyFigures) {
    const registers = [this.#registry];
    new Counter({
      name: 'trunkline_policy_decisions_total',
      help: 'Bootstraps by the policy that matched; none when no one did',
      labelNames: ['policy'],
      registers,
      collect() {
        this.reset();
        for (const [policy, count] of figures().decisions) this.inc({ policy }, count);
      },
    });
    new Counter({
      name: 'trunkline_policy_loads_total',
      help: 'Changes of the policies file, by what became of them',
      labelNames: ['outcome'],
      registers,
      collect() {
        this.reset();
        for (const [outcome, count] of Object.entries(figures().loads)) this.inc({ outcome }, count);
      },
    });
    new Gauge({
      name: 'trunkline_policies_stale',
      help: '1 while the policies file is refused and older policies are in force',
      registers,
      collect() {
        this.set(figures().isStale ? 1 : 0);
      },
    });
    new Gauge({
      name: 'trunkline_rollout_share_percent',
      help: 'Share of the devices that a rollout has come to',
      labelNames: ['rollout'],
      registers,
      // Nodes agree on it, so it is not to be added up.
      aggregator: 'max',
      collect() {
        this.reset();
        for (const [rollout, share] of figures().rollouts) this.set({ rollout }, share);
      },
    });
  }

  async json(): Promise<object[]> {
    return this.#registry.getMetricsAsJSON();
  }
}
