/** What every route for operators demands: an admin key, and words of a path that does not exist while there is none. */
import type { ServiceContext } from '../cluster/index.js';
import { createKeyring, type HttpApp, liveKeyring, ProblemError, requireKey } from '../http/index.js';

const ADMIN = 'admin';

export function requireAdminKey(scope: HttpApp, context: Pick<ServiceContext, 'config' | 'current'>): void {
  const keyring = context.current.derive((config) => createKeyring(new Map([[ADMIN, config.private.adminKeys]])));
  scope.addHook('onRequest', (_request, _reply, done) => {
    const isHidden = context.config.private.adminKeys.length === 0;
    done(isHidden ? new ProblemError(404, 'TRK_NOT_FOUND', 'no such path') : undefined);
  });
  requireKey(scope, liveKeyring(keyring));
}
