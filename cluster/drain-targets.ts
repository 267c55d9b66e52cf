/**
 * Where the clients of a node that goes are sent: to nodes that live and stay, of the same region when there is one, each
 * client to the least loaded. What is known of a load is some time old, so those that were already sent somewhere count.
 */
import { domainList, type NodeConfig } from '../config/index.js';
import type { AccessProtocol } from '../transports/index.js';
import type { NodeLease } from './engines/contract/index.js';

/** Plain data: it crosses a thread. */
export interface DrainTarget {
  readonly name: string;
  /** `host:port` by protocol, as clients should dial them. */
  readonly accessPoints: Readonly<Partial<Record<AccessProtocol, string>>>;
  readonly load: number;
  readonly connections: number;
  readonly connectionLimit: number;
}

export interface DrainQuestion {
  /** Of the node that goes. */
  readonly incarnation: string;
  readonly region: string;
  readonly regions: NodeConfig['control']['regions'];
  /** Only this one, by its name. */
  readonly preferNode?: string | undefined;
}

/** Loads of one tenth are alike: what an idle node is busy with is chance. */
const LOAD_STEPS = 10;
const OVERLOADED = 1;

/** @returns none when no other node takes clients */
export function drainTargets(leases: readonly NodeLease[], question: DrainQuestion): DrainTarget[] {
  const { incarnation, region, regions, preferNode } = question;
  const fit = leases.filter(({ record, leftMs }) => {
    if (record.incarnation === incarnation || leftMs <= 0 || record.draining) return false;
    if (preferNode !== undefined && record.name !== preferNode) return false;
    const { accessPoints, workers, load, connections, connectionLimit } = record;
    if (Object.keys(accessPoints).length === 0 || workers.some((generation) => generation < 0)) return false;
    return load < OVERLOADED && connections < connectionLimit;
  });
  const near = fit.filter(({ record }) => record.region === region);
  return (near.length > 0 ? near : fit).map(({ record }) => ({
    name: record.name,
    // A region's domain stands in front of its nodes, which clients may not reach themselves.
    accessPoints: { ...record.accessPoints, ...firstDomains(regions[record.region]?.domains ?? {}) },
    load: record.load,
    connections: record.connections,
    connectionLimit: record.connectionLimit,
  }));
}

/** The heaviest of each protocol: a client that goes is told of one access point. */
function firstDomains(domains: NodeConfig['control']['regions'][string]['domains']): DrainTarget['accessPoints'] {
  return Object.fromEntries(
    Object.entries(domains).map(([protocol, domain]) => {
      const [first] = [...domainList(domain)].sort((a, b) => b.weight - a.weight);
      return [protocol, first?.address];
    }),
  );
}

interface Candidate {
  readonly target: DrainTarget;
  /** How many were sent there. */
  sent: number;
}

/** Of one access worker. */
export class DrainTargetPicker {
  readonly #targets: readonly Candidate[];
  readonly #workers: number;

  /** @param workers how many do the same at the same time */
  constructor(targets: readonly DrainTarget[], workers: number) {
    this.#targets = targets.map((target) => ({ target, sent: 0 }));
    this.#workers = workers;
  }

  /** @returns `host:port`, empty when none has this protocol */
  next(protocol: AccessProtocol): string {
    let best: Candidate | undefined;
    for (const each of this.#targets) {
      if (each.target.accessPoints[protocol] === undefined) continue;
      if (best === undefined || this.#isBetter(each, best)) best = each;
    }
    if (best === undefined) return '';
    best.sent += 1;
    return best.target.accessPoints[protocol] as string;
  }

  #isBetter(a: Candidate, b: Candidate): boolean {
    const byLoad = Math.floor(a.target.load * LOAD_STEPS) - Math.floor(b.target.load * LOAD_STEPS);
    return byLoad === 0 ? this.#fullness(a) < this.#fullness(b) : byLoad < 0;
  }

  #fullness({ target, sent }: Candidate): number {
    return (target.connections + sent * this.#workers) / target.connectionLimit;
  }
}
