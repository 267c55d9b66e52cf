/**
 * Which nodes a client is sent to, and why. The choice and its explanation are one value, so that they cannot differ.
 *
 * Of the nodes that take the client, two are drawn at random and the less loaded is named, then again of those that are
 * left. What is known of a node's load is up to a renewal of its lease old: naming the least loaded one each time would
 * send everybody who asks meanwhile to the same node.
 *
 * @see docs/control.md, "Which nodes"
 */
import type { AccessProtocol, NodeLease, NodeRecord } from '../cluster/index.js';
import type { NodeConfig } from '../config/index.js';
import { type DrawnDomains, drawDomains } from './domains.js';
import { type RegionOrder, settingsOf } from './regions.js';

/** A load from here on is overload: such a node refuses logins. */
const OVERLOADED = 1;

/** Loads of one tenth are alike: what an idle node is busy with is chance. */
const LOAD_STEPS = 10;

/**
 * Why a node was left out, the first that holds:
 *
 * - `no-access`     it holds no connections (`node.roles`)
 * - `lease-lapsed`  nothing was heard of it for the time of its lease
 * - `draining`      it asks its clients to go
 * - `not-ready`     an access worker is down
 * - `overloaded`    it refuses logins
 * - `full`          as many connections as it may have
 * - `no-protocol`   nothing that the client speaks
 * - `other-pool`    in no pool that counted
 * - `other-region`  in no region that counted
 */
export const LEFT_OUT = [
  'no-access',
  'lease-lapsed',
  'draining',
  'not-ready',
  'overloaded',
  'full',
  'no-protocol',
  'other-pool',
  'other-region',
] as const;
export type LeftOut = (typeof LEFT_OUT)[number];

export interface NodeVerdict {
  readonly record: NodeRecord;
  /** Absent for a node that takes the client. */
  readonly leftOut?: LeftOut | undefined;
}

/**
 * What decided between two nodes: a lower load, fewer connections for their limit, or the order in which they were
 * drawn. `only` when one was left.
 */
export const DECIDED_BY = ['load', 'connections', 'draw', 'only'] as const;
export type DecidedBy = (typeof DECIDED_BY)[number];

export interface ChoiceRound {
  /** In the order in which they were drawn; one when no other was left. */
  readonly compared: readonly NodeRecord[];
  readonly taken: NodeRecord;
  readonly by: DecidedBy;
}

export interface NodeChoice {
  /** What the client speaks, in the order to try. */
  readonly protocols: readonly AccessProtocol[];
  readonly regions: RegionOrder;
  /** In the order to try: a later one counts when no node of the earlier ones takes the client. */
  readonly pools: readonly string[];
  /** The pool that counted; absent when no node takes the client. */
  readonly chosenPool?: string | undefined;
  /** Those of the step that counted; none when no node takes the client. */
  readonly chosenRegions: readonly string[];
  readonly nodes: readonly NodeVerdict[];
  readonly rounds: readonly ChoiceRound[];
  /** Of the chosen regions, in the order drawn; they stand in place of their nodes. */
  readonly domains: DrawnDomains;
}

export interface NodeQuestion {
  readonly nodes: readonly NodeLease[];
  readonly protocols: readonly AccessProtocol[];
  readonly regions: RegionOrder;
  readonly pools: readonly string[];
  readonly poolOf: (record: NodeRecord) => string;
  readonly control: NodeConfig['control'];
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** @returns also when no node takes the client: then without rounds */
export function chooseNodes(question: NodeQuestion): NodeChoice {
  const { nodes, protocols, regions, pools, poolOf, control, random } = question;
  const hasDomains = (record: NodeRecord): boolean => control.pools.includes(poolOf(record));
  const judged = nodes.map((lease) => judge(lease, protocols, hasDomains(lease.record) ? control.regions : {}));
  const fit = judged.filter(({ leftOut }) => leftOut === undefined).map(({ record }) => record);
  const place = findPlace(fit, question);
  const isNear = (record: NodeRecord) => place?.pool === poolOf(record) && place.regions.includes(record.region);
  const chosenRegions = place?.regions ?? [];
  const isShared = place !== undefined && control.pools.includes(place.pool);
  return {
    protocols,
    regions,
    pools,
    ...(place === undefined ? {} : { chosenPool: place.pool }),
    chosenRegions,
    nodes: judged.map((verdict) => {
      if (verdict.leftOut !== undefined || isNear(verdict.record)) return verdict;
      const isOtherPool =
        place === undefined ? !pools.includes(poolOf(verdict.record)) : place.pool !== poolOf(verdict.record);
      return { ...verdict, leftOut: isOtherPool ? 'other-pool' : 'other-region' };
    }),
    rounds: drawRounds(fit.filter(isNear), control.accessPoints, random),
    domains: isShared ? drawDomains(chosenRegions, control.regions, random) : new Map(),
  };
}

interface Place {
  readonly pool: string;
  readonly regions: readonly string[];
}

/** A pool is what somebody decided, so it goes before nearness: the next pool counts when no region has a node of this one. */
function findPlace(fit: readonly NodeRecord[], { pools, poolOf, regions }: NodeQuestion): Place | undefined {
  for (const pool of pools) {
    const members = fit.filter((record) => poolOf(record) === pool);
    const step = regions.steps.find((names) => members.some(({ region }) => names.includes(region)));
    if (step !== undefined) return { pool, regions: step };
  }
  return undefined;
}

/** Whether a node offers a protocol, by itself or through its region's domains. */
function offers(
  { accessPoints, region }: NodeRecord,
  protocol: AccessProtocol,
  regions: NodeConfig['control']['regions'],
): boolean {
  return settingsOf(regions, region)?.domains[protocol] !== undefined || accessPoints[protocol] !== undefined;
}

function judge(
  { record, leftMs }: NodeLease,
  protocols: readonly AccessProtocol[],
  regions: NodeConfig['control']['regions'],
): NodeVerdict {
  const leftOut = (reason: LeftOut): NodeVerdict => ({ record, leftOut: reason });
  if (!record.roles.includes('access')) return leftOut('no-access');
  if (leftMs <= 0) return leftOut('lease-lapsed');
  if (record.draining) return leftOut('draining');
  if (record.workers.length === 0 || record.workers.some((generation) => generation < 0)) return leftOut('not-ready');
  if (record.load >= OVERLOADED) return leftOut('overloaded');
  if (record.connections >= record.connectionLimit) return leftOut('full');
  if (!protocols.some((protocol) => offers(record, protocol, regions))) return leftOut('no-protocol');
  return { record };
}

function drawRounds(fit: readonly NodeRecord[], wanted: number, random: () => number): ChoiceRound[] {
  const left = [...fit];
  const rounds: ChoiceRound[] = [];
  while (rounds.length < wanted && left.length > 0) {
    const round = decide(drawTwo(left, random));
    left.splice(left.indexOf(round.taken), 1);
    rounds.push(round);
  }
  return rounds;
}

/** @returns two that differ, or the only one */
function drawTwo(left: readonly NodeRecord[], random: () => number): NodeRecord[] {
  if (left.length === 1) return [...left];
  const first = Math.floor(random() * left.length);
  const other = Math.floor(random() * (left.length - 1));
  return [first, other < first ? other : other + 1].map((index) => left[index] as NodeRecord);
}

function decide(compared: readonly NodeRecord[]): ChoiceRound {
  const [first, second] = compared as [NodeRecord, NodeRecord?];
  if (second === undefined) return { compared, taken: first, by: 'only' };
  const byLoad = loadStep(first) - loadStep(second);
  if (byLoad !== 0) return { compared, taken: byLoad < 0 ? first : second, by: 'load' };
  const byFill = fill(first) - fill(second);
  if (byFill !== 0) return { compared, taken: byFill < 0 ? first : second, by: 'connections' };
  return { compared, taken: first, by: 'draw' };
}

const loadStep = ({ load }: NodeRecord): number => Math.floor(load * LOAD_STEPS);
const fill = ({ connections, connectionLimit }: NodeRecord): number => connections / connectionLimit;
