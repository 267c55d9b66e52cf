/** As many deliveries as one access worker gives, to 5,000 members, over WebSocket and over TCP. */
import { compareFanout, medianOf, medianRatio } from './fanout/compare.js';
import { FEEDING, fanoutConditions, lost, othersShare } from './fanout/words.js';
import type { Protocol } from './load/fleet.js';
import type { Figure } from './measure/report.js';
import { runAsMain, type Scenario, type ScenarioOptions } from './measure/scenario.js';

const BARE_WINDOW_MS = 10;
const BROADCASTS_IN_FLIGHT = 8;
const PAYLOAD_BYTES = 128;

export const scenario: Scenario = {
  defaults: { seconds: 5, connections: 5_000, runs: 2 },
  run: async (options) => {
    const conditions = fanoutConditions('ws', options, pace(options), BARE_WINDOW_MS);
    return {
      title: 'Flat out',
      conditions: { ...conditions, protocol: 'ws, then tcp', workers: 1 },
      figures: [...(await measure('ws', options)), ...(await measure('tcp', options))],
      notes: [FEEDING],
    };
  },
};

function pace({ windowMs }: ScenarioOptions) {
  return { broadcastsInFlight: BROADCASTS_IN_FLIGHT, payloadBytes: PAYLOAD_BYTES, windowMs };
}

async function measure(protocol: Protocol, options: ScenarioOptions): Promise<Figure[]> {
  const comparison = await compareFanout({
    ...options,
    protocol,
    bareWindowMs: BARE_WINDOW_MS,
    pace: pace(options),
  });
  const { trunkline, bare } = comparison;
  const ratio = medianRatio(comparison, 'deliveriesPerSecond');
  return [
    { name: `${protocol}: delivered / bare`, value: ratio, unit: 'x', aim: { atLeast: 0.8 } },
    { ...lost(comparison), name: `${protocol}: lost` },
    { name: `${protocol}: delivered`, value: medianOf(trunkline, 'deliveriesPerSecond'), unit: '/s' },
    { name: `${protocol}: delivered, bare`, value: medianOf(bare, 'deliveriesPerSecond'), unit: '/s' },
    { name: `${protocol}: CPU per delivery`, value: medianOf(trunkline, 'cpuPerDeliveryUs'), unit: 'µs' },
    { name: `${protocol}: CPU per delivery, bare`, value: medianOf(bare, 'cpuPerDeliveryUs'), unit: 'µs' },
    { name: `${protocol}: server load`, value: medianOf(trunkline, 'cpuShare') * 100, unit: '% of its core' },
    { name: `${protocol}: server load, bare`, value: medianOf(bare, 'cpuShare') * 100, unit: '% of its core' },
    { name: `${protocol}: deliveries per read`, value: medianOf(trunkline, 'deliveriesPerRead'), unit: '' },
    { name: `${protocol}: other processes`, value: othersShare([...trunkline, ...bare]) * 100, unit: '% of a core' },
    { name: `${protocol}: p99`, value: medianOf(trunkline, 'p99Us') / 1e3, unit: 'ms' },
  ];
}

await runAsMain(import.meta, scenario);
