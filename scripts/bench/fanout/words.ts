/** What fan-out scenarios say about how they were measured. */
import type { Protocol } from '../load/fleet.js';
import type { Figure } from '../measure/report.js';
import type { ScenarioOptions } from '../measure/scenario.js';
import { type Comparison, medianOf } from './compare.js';
import { type FanoutRun, type Pace, WARM_MS } from './fanout-run.js';

export const FEEDING =
  'The node gets the messages as lines of one bulk push (NDJSON over HTTP), the bare server finished frames over one ' +
  'TCP connection; CPU is that of the whole server process, HTTP included. `bare` is a loop over the sockets that `ws` ' +
  'or `node:net` accepted, writing bytes framed once.';

export function fanoutConditions(
  protocol: Protocol,
  options: ScenarioOptions,
  pace: Pace,
  bareWindowMs: number,
): Record<string, string | number> {
  return {
    protocol,
    members: options.connections,
    load:
      pace.perSecond === undefined
        ? `${pace.broadcastsInFlight} broadcasts under way at once`
        : `${pace.perSecond} messages/s`,
    payload: `${pace.payloadBytes} bytes`,
    window: `${pace.windowMs / 1e3} s after ${WARM_MS / 1e3} s`,
    runs: `${options.runs}, node and bare server in turns, medians`,
    'bare server gathers': `${bareWindowMs} ms`,
  };
}

/** Figures that every comparison reports beside its own. */
export function commonFigures({ trunkline, bare }: Comparison): Figure[] {
  return [
    { name: 'CPU per delivery', value: medianOf(trunkline, 'cpuPerDeliveryUs'), unit: 'µs' },
    { name: 'of it access threads', value: medianOf(trunkline, 'accessCpuPerDeliveryUs'), unit: 'µs' },
    { name: 'CPU per delivery, bare', value: medianOf(bare, 'cpuPerDeliveryUs'), unit: 'µs' },
    { name: 'deliveries per read', value: medianOf(trunkline, 'deliveriesPerRead'), unit: '' },
    { name: 'deliveries per read, bare', value: medianOf(bare, 'deliveriesPerRead'), unit: '' },
    { name: 'bytes per delivery', value: medianOf(trunkline, 'bytesPerDelivery'), unit: '' },
    { name: 'bytes per delivery, bare', value: medianOf(bare, 'bytesPerDelivery'), unit: '' },
    { name: 'p50', value: medianOf(trunkline, 'p50Us') / 1e3, unit: 'ms' },
    { name: 'p99', value: medianOf(trunkline, 'p99Us') / 1e3, unit: 'ms' },
    { name: 'p99, bare', value: medianOf(bare, 'p99Us') / 1e3, unit: 'ms' },
    { name: 'server load', value: medianOf(trunkline, 'cpuShare') * 100, unit: '% of its core' },
    { name: 'server load, bare', value: medianOf(bare, 'cpuShare') * 100, unit: '% of its core' },
    { name: 'other processes', value: othersShare([...trunkline, ...bare]) * 100, unit: '% of a core' },
    { name: 'sent late, p99', value: medianOf(trunkline, 'sendLagP99Us') / 1e3, unit: 'ms' },
  ];
}

/** The worst disturbance of any run. */
export function othersShare(runs: readonly FanoutRun[]): number {
  return Math.max(...runs.map((run) => run.othersShare));
}

export function lost(comparison: Comparison): Figure {
  const value = Math.max(...comparison.trunkline.map((run) => run.lost));
  return { name: 'lost', value, unit: 'deliveries', aim: { atMost: 0 } };
}
