/**
 * In which regions a client looks for a node, in order. A client that names a region is sent there and to that region's
 * fallbacks, and nowhere else: who splits traffic by region may have to. A client that names none, or one that nobody
 * knows, did not ask for anything, so it is sent to the region of the node it reached and then to wherever there is room.
 *
 * @see docs/control.md, "Which nodes"; docs/decisions/0068-regions-are-strict-for-those-who-name-one.md
 */
import type { NodeLease } from '../cluster/index.js';
import type { NodeConfig } from '../config/index.js';

type Regions = NodeConfig['control']['regions'];

/** What a client calls its region. */
const REGION_ATTRIBUTE = 'region';

export interface RegionOrder {
  /** As the client named it. */
  readonly asked: string | undefined;
  /** Whether there is such a region: one of the configuration, or one that a node is in. */
  readonly known: boolean;
  /** A later step counts when no node of the earlier ones takes the client. */
  readonly steps: readonly (readonly string[])[];
}

/** @param ownRegion of the node that is asked */
export function orderRegions(
  attributes: Readonly<Record<string, string>>,
  regions: Regions,
  nodes: readonly NodeLease[],
  ownRegion: string,
): RegionOrder {
  const asked = attributes[REGION_ATTRIBUTE];
  const inhabited = new Set(nodes.map(({ record }) => record.region));
  const known = asked !== undefined && (settingsOf(regions, asked) !== undefined || inhabited.has(asked));
  const home = known ? asked : ownRegion;
  const listed = [...new Set([home, ...(settingsOf(regions, home)?.fallback ?? [])])];
  const rest = [...inhabited].filter((region) => !listed.includes(region)).sort();
  const steps = listed.map((region) => [region]);
  return { asked, known, steps: known || rest.length === 0 ? steps : [...steps, rest] };
}

/** Strangers choose the name: `constructor` is no region. */
export function settingsOf(regions: Regions, name: string): Regions[string] | undefined {
  return Object.hasOwn(regions, name) ? regions[name] : undefined;
}
