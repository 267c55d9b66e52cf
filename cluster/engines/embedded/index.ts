/** The default engine: everything in this process, nothing to install. */
import type { Engine } from '../contract/index.js';
import { EmbeddedBus } from './embedded-bus.js';
import { EmbeddedCredentials } from './embedded-credentials.js';
import { EmbeddedGroups } from './embedded-groups.js';
import { EmbeddedMembership } from './embedded-membership.js';
import { EmbeddedRoutes } from './embedded-routes.js';

export interface EmbeddedEngineOptions {
  /** Microseconds since the Unix epoch; the system's clock by default. */
  readonly clockUs?: () => number;
  /** What leases are measured by, in milliseconds; it stands still by default. */
  readonly leaseClockMs?: () => number;
}

export function createEmbeddedEngine(options: EmbeddedEngineOptions = {}): Engine {
  const { clockUs = systemClockUs, leaseClockMs } = options;
  const groups = new EmbeddedGroups(Date.now);
  return {
    routes: new EmbeddedRoutes(clockUs),
    groups,
    bus: new EmbeddedBus(groups),
    membership: new EmbeddedMembership({ clockUs, leaseClockMs }),
    credentials: new EmbeddedCredentials(),
    close: () => Promise.resolve(),
  };
}

function systemClockUs(): number {
  return Date.now() * 1_000;
}
