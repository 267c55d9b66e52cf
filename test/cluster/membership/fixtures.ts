/** Nodes, leases and an engine's membership for tests that play time themselves. */

import type { NodeLease, NodeRecord } from '../../../cluster/engines/contract/index.js';
import { EmbeddedMembership } from '../../../cluster/engines/embedded/embedded-membership.js';

export const LEASE_MS = 1_000;

export function recordOf(name: string, changes: Partial<NodeRecord> = {}): NodeRecord {
  return {
    name,
    incarnation: `incarnation-of-${name}`,
    version: '0.1.0',
    roles: ['access', 'bridge', 'control'],
    region: 'default',
    startedAtMs: 0,
    draining: false,
    accessPoints: { tcp: `${name}:7100`, ws: `${name}:7101` },
    workers: [0, 0],
    connections: 0,
    connectionLimit: 1_000,
    load: 0,
    ...changes,
  };
}

export function leaseOf(name: string, leftMs: number, changes: Partial<NodeRecord> = {}): NodeLease {
  return { record: recordOf(name, changes), leftMs };
}

/** A clock that moves when told. */
export class FakeClock {
  ms = 0;
  readonly now = (): number => this.ms;

  advance(ms: number): void {
    this.ms += ms;
  }
}

/** An engine's membership whose leases are measured by `clock`. */
export function membershipOn(clock: FakeClock): EmbeddedMembership {
  return new EmbeddedMembership({ clockUs: () => clock.ms * 1_000, leaseClockMs: clock.now });
}
