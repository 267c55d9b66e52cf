/**
 * In which regions a client looks for a node, in order. A client that names a region is sent there and to that region's
 * fallbacks, and nowhere else: who splits traffic by region may have to. A client that names none, or one that nobody
 * knows, did not ask for anything, so it is sent to the region that its address is of, or else to that of the node it
 * reached, and then to wherever there is room.
 *
 * @see docs/control.md, "Which nodes"; docs/decisions/0068-regions-are-strict-for-those-who-name-one.md
 */
import type { NodeLease } from '../cluster/index.js';
import type { NodeConfig } from '../config/index.js';

type Regions = NodeConfig['control']['regions'];

/** What a client calls its region. */
const REGION_ATTRIBUTE = 'region';

/** What made a region the first one: the client's hint, its address, or the node that was asked. */
export const HOME_BY = ['hint', 'address', 'node'] as const;
export type HomeBy = (typeof HOME_BY)[number];

export interface RegionOrder {
  /** As the client named it. */
  readonly asked: string | undefined;
  /** Whether there is such a region: one of the configuration, or one that a node is in. */
  readonly known: boolean;
  /** Where the client is taken to be: the first step. */
  readonly home: string;
  readonly by: HomeBy;
  /** A later step counts when no node of the earlier ones takes the client. */
  readonly steps: readonly (readonly string[])[];
}

export interface RegionQuestion {
  readonly attributes: Readonly<Record<string, string>>;
  readonly regions: Regions;
  readonly nodes: readonly NodeLease[];
  /** Of the node that is asked. */
  readonly ownRegion: string;
  /** Of which the caller's address is; undefined when no table has it. */
  readonly addressRegion: string | undefined;
}

export function orderRegions({ attributes, regions, nodes, ownRegion, addressRegion }: RegionQuestion): RegionOrder {
  const asked = attributes[REGION_ATTRIBUTE];
  const inhabited = new Set(nodes.map(({ record }) => record.region));
  const known = asked !== undefined && (settingsOf(regions, asked) !== undefined || inhabited.has(asked));
  const home = known ? asked : (addressRegion ?? ownRegion);
  const by: HomeBy = known ? 'hint' : addressRegion === undefined ? 'node' : 'address';
  const listed = [...new Set([home, ...(settingsOf(regions, home)?.fallback ?? [])])];
  const rest = [...inhabited].filter((region) => !listed.includes(region)).sort();
  const steps = listed.map((region) => [region]);
  return { asked, known, home, by, steps: known || rest.length === 0 ? steps : [...steps, rest] };
}

/** Strangers choose the name: `constructor` is no region. */
export function settingsOf(regions: Regions, name: string): Regions[string] | undefined {
  return Object.hasOwn(regions, name) ? regions[name] : undefined;
}
