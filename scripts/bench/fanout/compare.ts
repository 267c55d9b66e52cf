/**
 * A node and a bare server under the same load, in turns within one run, so that a ratio is not a comparison of
 * two moods of the machine. Medians over the runs.
 */
import type { Protocol } from '../load/fleet.js';
import { median } from '../measure/measured-window.js';
import type { ScenarioOptions } from '../measure/scenario.js';
import { openBareAudience } from './bare-audience.js';
import { type FanoutRun, type Pace, PacerSlot, runFanout } from './fanout-run.js';
import { type Feed, openTrunklineAudience } from './trunkline-audience.js';

export interface Comparison {
  readonly trunkline: readonly FanoutRun[];
  readonly bare: readonly FanoutRun[];
}

export interface CompareOptions extends ScenarioOptions {
  readonly protocol: Protocol;
  /** How long the bare server gathers. */
  readonly bareWindowMs: number;
  readonly pace: Pace;
  /** How the node gets the messages; the bare server has one TCP connection for them. Default a stream. */
  readonly feed?: Feed;
}

export async function compareFanout(options: CompareOptions): Promise<Comparison> {
  const { protocol, connections: members, bareWindowMs, pace, cpuProfDir, feed = 'stream' } = options;
  const trunkline: FanoutRun[] = [];
  const bare: FanoutRun[] = [];
  const slot = new PacerSlot();
  const { onReads } = slot;
  for (let run = 0; run < options.runs; run++) {
    const openings = [
      { into: trunkline, open: () => openTrunklineAudience({ protocol, members, feed, cpuProfDir, onReads }) },
      { into: bare, open: () => openBareAudience({ protocol, members, windowMs: bareWindowMs, onReads }) },
    ];
    // Every other run the bare server goes first.
    if (run % 2 === 1) openings.reverse();
    for (const { into, open } of openings) {
      const audience = await open();
      try {
        into.push(await runFanout(audience, pace, slot));
      } finally {
        await audience.close();
      }
    }
  }
  return { trunkline, bare };
}

/** The median of one figure over runs. */
export function medianOf<K extends keyof FanoutRun>(runs: readonly FanoutRun[], figure: K): number {
  return median(runs.map((run) => run[figure]));
}

/** The median of the ratio of each run's pair. */
export function medianRatio(comparison: Comparison, figure: keyof FanoutRun): number {
  return median(comparison.trunkline.map((run, i) => run[figure] / (comparison.bare[i]?.[figure] ?? Number.NaN)));
}
