/**
 * The answer to a device that starts: who it is, its token, where and how to connect. No HTTP in here.
 *
 * @see docs/control.md, "Bootstrap"
 */
import type { ServiceContext } from '../cluster/index.js';
import { chooseAccess } from './access-points.js';
import type { AppEntry } from './app-directory.js';
import { DeviceRevokedError, NotReadyError } from './errors.js';
import { issueToken } from './grants.js';
import type { ControlOptions } from './options.js';
import type { BootstrapAnswer, BootstrapRequest } from './schemas.js';
import { decideTrust } from './trust.js';

export type BootstrapContext = Pick<ServiceContext, 'config' | 'current' | 'node'>;

/** @throws {NotReadyError} the node starts or drains */
export function assertReady({ node }: BootstrapContext): void {
  if (!node.isReady()) throw new NotReadyError();
}

/**
 * @throws {NoAccessPointError}
 * @throws {DeviceRevokedError}
 * @throws what `decideTrust` and `issueToken` do
 */
export async function bootstrap(
  app: AppEntry,
  request: BootstrapRequest,
  context: BootstrapContext,
  { credentials, issuer, deviceSecrets }: ControlOptions,
): Promise<BootstrapAnswer> {
  const { config, node } = context;
  const access = chooseAccess(node.accessPoints(), request.attributes);
  const device = await decideTrust(app, request, deviceSecrets, Date.now());
  const { deviceId, uid, businesses, groups, deviceSecret } = device;
  // Told to who proved the id and to nobody else.
  if (credentials.isIdentityRevoked(app.name, deviceId)) throw new DeviceRevokedError();
  const grant = { app: app.name, deviceId, uid, businesses, groups, ttlMs: app.config.tokenTtlMs };
  const { token, expiresAtMs } = await issueToken(issuer, grant);
  return {
    app: app.name,
    deviceId,
    ...(deviceSecret === undefined ? {} : { deviceSecret }),
    token,
    expiresAtMs,
    businesses,
    ...access,
    heartbeat: { intervalMs: config.heartbeat.intervalMs },
    retry: { minMs: config.retry.minMs, maxMs: config.retry.maxMs },
  };
}
