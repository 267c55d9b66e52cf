/** The default engine: everything in this process, nothing to install. */
import type { Engine } from '../contract/index.js';
import { EmbeddedGroups } from './embedded-groups.js';
import { EmbeddedMembership } from './embedded-membership.js';
import { EmbeddedRoutes } from './embedded-routes.js';

export interface EmbeddedEngineOptions {
  /** Microseconds since the Unix epoch; the system's clock by default. */
  readonly clockUs?: () => number;
}

export function createEmbeddedEngine({ clockUs = systemClockUs }: EmbeddedEngineOptions = {}): Engine {
  return {
    routes: new EmbeddedRoutes(clockUs),
    groups: new EmbeddedGroups(Date.now),
    membership: new EmbeddedMembership(),
    close: () => Promise.resolve(),
  };
}

function systemClockUs(): number {
  return Date.now() * 1_000;
}
