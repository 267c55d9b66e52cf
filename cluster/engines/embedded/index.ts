/** The default engine: everything in this process, nothing to install. */
import type { Engine } from '../contract/index.js';
import { EmbeddedGroups } from './embedded-groups.js';
import { EmbeddedMembership } from './embedded-membership.js';
import { EmbeddedRoutes } from './embedded-routes.js';

export function createEmbeddedEngine(): Engine {
  return {
    routes: new EmbeddedRoutes(() => Date.now() * 1_000),
    groups: new EmbeddedGroups(Date.now),
    membership: new EmbeddedMembership(),
    close: () => Promise.resolve(),
  };
}
