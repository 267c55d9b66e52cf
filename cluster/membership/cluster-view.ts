/** The nodes of a service as one of them sees them: for the control layer, for operators, for who is about to leave. */
import type { NodeLease, NodeRecord } from '../engines/contract/index.js';
import type { OwnLease } from './own-lease.js';
import type { Peer } from './peer.js';
import type { OwnState, PeerState } from './states.js';

/** One node at a glance. */
export interface NodeGlance {
  readonly name: string;
  readonly incarnation: string;
  readonly version: string;
  readonly region: string;
  readonly roles: readonly string[];
  /** Milliseconds since the Unix epoch, by its own clock. */
  readonly startedAtMs: number;
  readonly connections: number;
  readonly connectionLimit: number;
  /** 0 idle to 1 and above overloaded: the busiest of its threads. */
  readonly load: number;
  readonly draining: boolean;
  readonly accessPoints: Readonly<Record<string, string>>;
  /** Access workers that are up. */
  readonly workersUp: number;
  readonly workers: number;
  readonly state: PeerState;
  /** Why it is in that state. */
  readonly reason: string;
  /** For how long it has been. */
  readonly stateMs: number;
  /** Until its lease lapses. */
  readonly leaseLeftMs: number;
  /** Since its lease was last renewed, as far as this node knows. */
  readonly leaseAgeMs: number;
  /** The node that answers. */
  readonly own: boolean;
}

export interface ClusterStatus {
  /** The node that answers. */
  readonly node: string;
  readonly engine: 'embedded' | 'redis';
  readonly leaseMs: number;
  /** Its own place among the others. */
  readonly own: { readonly state: OwnState; readonly reason: string; readonly stateMs: number };
  /** By name; those that are gone stay for a while. */
  readonly nodes: readonly NodeGlance[];
}

export interface Seen {
  readonly own: OwnLease;
  readonly record: NodeRecord;
  readonly peers: readonly Peer[];
  readonly leaseMs: number;
  readonly nowMs: number;
  /** When the last view came: nothing is known of renewals since. */
  readonly viewedMs: number;
}

/** Every node that is not gone, this one included. */
export function leasesOf({ own, record, peers, nowMs, viewedMs }: Seen): NodeLease[] {
  const others = peers
    .filter(({ state }) => state !== 'gone')
    .map((peer) => ({ record: peer.record, leftMs: Math.ceil(peer.leftMs(Math.min(nowMs, viewedMs))) }));
  return [{ record, leftMs: Math.ceil(own.leftMs(nowMs)) }, ...others];
}

/** For operators, by name. */
export function glancesOf({ own, record, peers, leaseMs, nowMs }: Seen): NodeGlance[] {
  const isIn = own.state === 'registered' || own.state === 'cut off';
  const ownGlance = glance(record, {
    state: isIn && own.leftMs(nowMs) > 0 ? 'joined' : 'suspect',
    reason: own.reason,
    stateMs: nowMs - own.sinceMs,
    leaseLeftMs: own.leftMs(nowMs),
    leaseMs,
    own: true,
  });
  const others = peers.map((peer) => {
    const { state, reason, sinceMs } = peer;
    const stateMs = nowMs - sinceMs;
    return glance(peer.record, { state, reason, stateMs, leaseLeftMs: peer.leftMs(nowMs), leaseMs, own: false });
  });
  return [ownGlance, ...others].sort((a, b) => compare(a.name, b.name) || compare(a.incarnation, b.incarnation));
}

function glance(
  record: NodeRecord,
  {
    leaseMs,
    leaseLeftMs,
    stateMs,
    ...seen
  }: Pick<NodeGlance, 'state' | 'reason' | 'stateMs' | 'leaseLeftMs' | 'own'> & {
    leaseMs: number;
  },
): NodeGlance {
  const { name, incarnation, version, region, roles, startedAtMs, connections, connectionLimit, draining } = record;
  return {
    name,
    incarnation,
    version,
    region,
    roles,
    startedAtMs,
    connections,
    connectionLimit,
    load: record.load,
    draining,
    accessPoints: { ...record.accessPoints },
    workersUp: record.workers.filter((generation) => generation >= 0).length,
    workers: record.workers.length,
    ...seen,
    stateMs: Math.round(stateMs),
    leaseLeftMs: Math.round(leaseLeftMs),
    // Of a lease that lapsed nobody knows how long ago it was renewed.
    leaseAgeMs: Math.max(Math.round(leaseMs - leaseLeftMs), 0),
  };
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
