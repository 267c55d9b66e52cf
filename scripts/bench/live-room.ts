/** A live room: 500 messages a second to 1,000 members, 128 bytes each, over WebSocket. */
import { compareFanout, medianOf, medianRatio } from './fanout/compare.js';
import { commonFigures, FEEDING, fanoutConditions, lost } from './fanout/words.js';
import { runAsMain, type Scenario } from './measure/scenario.js';

const BARE_WINDOW_MS = 10;

export const scenario: Scenario = {
  defaults: { seconds: 5, connections: 1_000, runs: 3 },
  run: async (options) => {
    const pace = { perSecond: 500, payloadBytes: 128, windowMs: options.windowMs };
    const comparison = await compareFanout({ ...options, protocol: 'ws', bareWindowMs: BARE_WINDOW_MS, pace });
    const byRequests = await compareFanout({
      ...options,
      protocol: 'ws',
      bareWindowMs: BARE_WINDOW_MS,
      pace,
      feed: 'requests',
      runs: Math.ceil(options.runs / 2),
    });
    const ratio = medianRatio(comparison, 'cpuPerDeliveryUs');
    const inTime = medianOf(comparison.trunkline, 'inTime') * 100;
    return {
      title: 'Live room',
      conditions: fanoutConditions('ws', options, pace, BARE_WINDOW_MS),
      figures: [
        { name: 'CPU per delivery / bare', value: ratio, unit: 'x', aim: { atMost: 1.25 } },
        { name: 'delivered of what was due in the window', value: inTime, unit: '%', aim: { atLeast: 99 } },
        lost(comparison),
        ...commonFigures(comparison),
        {
          name: 'an HTTP request a message: CPU per delivery / bare',
          value: medianRatio(byRequests, 'cpuPerDeliveryUs'),
          unit: 'x',
        },
        {
          name: 'an HTTP request a message: CPU per delivery',
          value: medianOf(byRequests.trunkline, 'cpuPerDeliveryUs'),
          unit: 'µs',
        },
      ],
      notes: [FEEDING],
    };
  },
};

await runAsMain(import.meta, scenario);
