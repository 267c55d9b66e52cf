/**
 * Which nodes there are. Each holds a lease that it renews; time is the engine's alone, so that clocks may differ.
 * What a lapsed lease means is for `cluster/membership/` to judge.
 */
import type { AccessProtocol } from '../../../transports/index.js';

/** What a node does: holds connections, serves the HTTP bridge, serves the control layer. */
export const NODE_ROLES = ['access', 'bridge', 'control'] as const;
export type NodeRole = (typeof NODE_ROLES)[number];

/** What a node says of itself with each renewal. */
export interface NodeRecord {
  readonly name: string;
  /** 16 hexadecimal digits, new at every start. */
  readonly incarnation: string;
  readonly version: string;
  readonly roles: readonly NodeRole[];
  readonly region: string;
  /** Of access nodes; absent in what a node of a version without pools says, which is then of `default`. */
  readonly pool?: string;
  /** Milliseconds since the Unix epoch, by its own clock. */
  readonly startedAtMs: number;
  /** Accepts nothing new and asks its clients to go. */
  readonly draining: boolean;
  /** `host:port` by protocol, as clients should dial them. */
  readonly accessPoints: Readonly<Partial<Record<AccessProtocol, string>>>;
  /** Current generation of each access worker; -1 while it is down. */
  readonly workers: readonly number[];
  readonly connections: number;
  readonly connectionLimit: number;
  /** 0 idle to 1 and above overloaded: the busiest of its threads. */
  readonly load: number;
}

/** One node as the engine knows it. */
export interface NodeLease {
  readonly record: NodeRecord;
  /** Milliseconds until its lease lapses, by the engine's clock; 0 when it has lapsed and nobody has taken the node off yet. */
  readonly leftMs: number;
}

export interface MembershipView {
  /**
   * - `renewed`  the lease stood
   * - `new`      the engine did not know this node: its first renewal, its lease lapsed unnoticed, or the engine forgot
   * - `gone`     another node has declared this one gone and withdraws its routes, or has done so and this node has not
   *   said yet that it heard; the lease was not renewed
   */
  readonly own: 'renewed' | 'new' | 'gone';
  /** All nodes, this one included, lapsed ones too. */
  readonly nodes: readonly NodeLease[];
}

export interface Membership {
  /**
   * Renews this node's lease for `leaseMs` from now.
   *
   * @param hasHeard this node knows that it was declared gone and comes back: until it says so it is told so, for an
   * answer may be lost
   */
  renew(record: NodeRecord, leaseMs: number, hasHeard?: boolean): Promise<MembershipView>;
  /** Looks without renewing. */
  list(): Promise<readonly NodeLease[]>;
  /** Takes a node off: this one, as it stops, or one that was swept. */
  withdraw(incarnation: string): Promise<void>;
  /**
   * Declares a node whose lease has lapsed gone. Only one caller has an answer, and is to sweep what the node left and
   * then withdraw it; if it dies over that, another may declare again after `retryMs`.
   *
   * @returns the fence below which the node's routes are to be swept: those above it are of a later life of the node
   */
  declareGone(incarnation: string, retryMs: number): Promise<number | undefined>;
  /** Told when another node has come, gone, or changed what it says of itself in a way that others act on. */
  onChange(listener: () => void): void;
  /** Tells the others to look. */
  announceChange(): Promise<void>;
}
