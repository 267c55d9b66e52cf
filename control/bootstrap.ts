/**
 * The answer to a device that starts: who it is, its token, where and how to connect. No HTTP in here.
 *
 * @see docs/control.md, "Bootstrap"
 */
import type { ServiceContext } from '../cluster/index.js';
import { accessPointsOf } from './access-points.js';
import type { AppEntry } from './app-directory.js';
import type { Chooser } from './choice.js';
import { clientSettings } from './client-settings.js';
import { DeviceRevokedError } from './errors.js';
import { issueToken } from './grants.js';
import type { ControlOptions } from './options.js';
import type { BootstrapAnswer, BootstrapRequest } from './schemas.js';
import { decideTrust } from './trust.js';

export type BootstrapContext = Pick<ServiceContext, 'config' | 'current' | 'node'>;

/** Who asks, and from where. */
export interface BootstrapCaller {
  readonly app: AppEntry;
  /** As far as proxies are believed. */
  readonly address: string;
}

/**
 * Policies go by the id that the device will have, so who it is comes first: a stranger gets what its next bootstrap gets.
 *
 * @throws {NoAccessPointError}
 * @throws {NotReadyError} no node takes devices now
 * @throws {DeviceRevokedError}
 * @throws what `decideTrust` and `issueToken` do
 */
export async function bootstrap(
  { app, address }: BootstrapCaller,
  request: BootstrapRequest,
  { config }: BootstrapContext,
  chooser: Chooser,
  { credentials, issuer, deviceSecrets, policies }: ControlOptions,
): Promise<BootstrapAnswer> {
  const device = await decideTrust(app, request, deviceSecrets, Date.now());
  const { deviceId, uid, businesses, groups, deviceSecret } = device;
  // Told to who proved the id and to nobody else.
  if (credentials.isIdentityRevoked(app.name, deviceId)) throw new DeviceRevokedError();
  const { attributes } = request;
  const { decision, nodes } = chooser.choose({ app: app.name, deviceId, businesses, attributes, address });
  const access = accessPointsOf(nodes);
  const grant = { app: app.name, deviceId, uid, businesses, groups, ttlMs: app.config.tokenTtlMs };
  const { token, expiresAtMs } = await issueToken(issuer, grant);
  policies.count(decision);
  return {
    app: app.name,
    deviceId,
    ...(deviceSecret === undefined ? {} : { deviceSecret }),
    token,
    expiresAtMs,
    businesses,
    ...access,
    ...clientSettings(decision, config),
    retry: { minMs: config.retry.minMs, maxMs: config.retry.maxMs },
  };
}
