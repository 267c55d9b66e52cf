/** A large fan-out: 100 messages a second to 10,000 members, a million deliveries a second. */
import { compareFanout, medianOf, medianRatio } from './fanout/compare.js';
import { commonFigures, FEEDING, fanoutConditions, lost } from './fanout/words.js';
import { runAsMain, type Scenario } from './measure/scenario.js';

const BARE_WINDOW_MS = 10;

export const scenario: Scenario = {
  defaults: { seconds: 5, connections: 10_000, runs: 1 },
  run: async (options) => {
    const pace = { perSecond: 100, payloadBytes: 128, windowMs: options.windowMs };
    const comparison = await compareFanout({ ...options, protocol: 'ws', bareWindowMs: BARE_WINDOW_MS, pace });
    const p99Ms = medianOf(comparison.trunkline, 'p99Us') / 1e3;
    const perSecond = medianOf(comparison.trunkline, 'deliveriesPerSecond');
    return {
      title: 'Large fan-out',
      conditions: fanoutConditions('ws', options, pace, BARE_WINDOW_MS),
      figures: [
        { name: 'CPU per delivery / bare', value: medianRatio(comparison, 'cpuPerDeliveryUs'), unit: 'x' },
        lost(comparison),
        { name: 'p99 of a delivery', value: p99Ms, unit: 'ms', aim: { atMost: 500 } },
        { name: 'deliveries', value: perSecond, unit: '/s' },
        ...commonFigures(comparison),
      ],
      notes: [FEEDING],
    };
  },
};

await runAsMain(import.meta, scenario);
