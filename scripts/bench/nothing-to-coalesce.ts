/** Five messages a second to 5,000 members: every delivery is a write of its own, so only overhead is left to compare. */
import { compareFanout, medianRatio } from './fanout/compare.js';
import { commonFigures, FEEDING, fanoutConditions, lost } from './fanout/words.js';
import { runAsMain, type Scenario } from './measure/scenario.js';

export const scenario: Scenario = {
  defaults: { seconds: 4, connections: 5_000, runs: 5 },
  run: async (options) => {
    const pace = { perSecond: 5, payloadBytes: 128, windowMs: options.windowMs };
    const comparison = await compareFanout({ ...options, protocol: 'ws', bareWindowMs: 0, pace });
    const ratio = medianRatio(comparison, 'cpuPerDeliveryUs');
    return {
      title: 'Nothing to coalesce',
      conditions: fanoutConditions('ws', options, pace, 0),
      figures: [
        { name: 'CPU per delivery / bare', value: ratio, unit: 'x', aim: { atMost: 1.15 } },
        lost(comparison),
        ...commonFigures(comparison),
      ],
      notes: [FEEDING],
    };
  },
};

await runAsMain(import.meta, scenario);
