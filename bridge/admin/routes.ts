/**
 * The operator's scope of the private listener. Its routes are always there and answer 404 while the configuration has
 * no admin key, because a reload may bring the first one.
 */
import { type HttpApp, ProblemError, requireKey } from '../../http/index.js';
import { clusterRoute } from './cluster.js';
import { devicesRoute } from './devices.js';
import { disconnectRoute } from './disconnect.js';
import { drainRoute } from './drain.js';
import type { AdminParts } from './families.js';
import { groupsRoute } from './groups.js';
import { reloadRoute } from './reload.js';
import { liftRevocationRoute, revokeRoute } from './revocations.js';
import { rotateKeysRoute } from './rotate-keys.js';
import { statusRoute } from './status.js';

const ROUTES = [
  statusRoute,
  clusterRoute,
  drainRoute,
  devicesRoute,
  groupsRoute,
  disconnectRoute,
  reloadRoute,
  rotateKeysRoute,
  revokeRoute,
  liftRevocationRoute,
];

/** @param hasKeys whether the configuration in force names an admin key */
export function adminRoutes(scope: HttpApp, parts: AdminParts, hasKeys: () => boolean): void {
  scope.addHook('onRequest', (_request, _reply, done) => {
    // The words of a path that does not exist.
    done(hasKeys() ? undefined : new ProblemError(404, 'TRK_NOT_FOUND', 'no such path'));
  });
  requireKey(scope, parts.callers.adminKeys);
  for (const route of ROUTES) route(scope, parts);
}
