/** The default engine: everything in this process, nothing to install. */
import type { Engine } from '../contract/index.js';
import { EmbeddedBus } from './embedded-bus.js';
import { EmbeddedControlState } from './embedded-control-state.js';
import { EmbeddedCredentials } from './embedded-credentials.js';
import { EmbeddedGroups } from './embedded-groups.js';
import { EmbeddedMembership } from './embedded-membership.js';
import { EmbeddedRoutes } from './embedded-routes.js';

export interface EmbeddedEngineOptions {
  /** Microseconds since the Unix epoch; the system's clock by default. */
  readonly clockUs?: () => number;
  /** What leases are measured by, in milliseconds; it stands still by default. */
  readonly leaseClockMs?: () => number;
  /** For what operators set; in memory when absent. */
  readonly dataDir?: string | undefined;
}

export function createEmbeddedEngine(options: EmbeddedEngineOptions = {}): Engine {
  const { clockUs = systemClockUs, leaseClockMs, dataDir } = options;
  const groups = new EmbeddedGroups(Date.now);
  return {
    routes: new EmbeddedRoutes(clockUs),
    groups,
    bus: new EmbeddedBus(groups),
    membership: new EmbeddedMembership({ clockUs, leaseClockMs }),
    credentials: new EmbeddedCredentials(),
    controlState: new EmbeddedControlState(dataDir),
    close: () => Promise.resolve(),
  };
}

function systemClockUs(): number {
  return Date.now() * 1_000;
}
