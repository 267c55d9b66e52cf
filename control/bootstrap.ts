/**
 * The answer to a device that starts: who it is, its token, where and how to connect. No HTTP in here.
 *
 * @see docs/control.md, "Bootstrap"
 */
import type { ServiceContext } from '../cluster/index.js';
import { heartbeatBounds } from '../config/index.js';
import { type AccessChoice, accessPointsOf } from './access-points.js';
import type { AppEntry } from './app-directory.js';
import { DeviceRevokedError } from './errors.js';
import { issueToken } from './grants.js';
import { chooseNodes, type NodeChoice } from './node-choice.js';
import type { ControlOptions } from './options.js';
import type { BootstrapAnswer, BootstrapRequest } from './schemas.js';
import { decideTrust } from './trust.js';

export type BootstrapContext = Pick<ServiceContext, 'config' | 'current' | 'node'>;

/** What of the service a choice of nodes looks at. */
export type ChoiceContext = Pick<ServiceContext, 'config' | 'node'>;

/**
 * The choice for a client that says this of itself, now.
 *
 * @param random from 0 to below 1
 */
export function chooseFor(
  attributes: Readonly<Record<string, string>>,
  { config, node }: ChoiceContext,
  random: () => number = Math.random,
): NodeChoice {
  const { control } = config;
  return chooseNodes({ nodes: node.nodes(), attributes, control, ownRegion: config.node.region, random });
}

/** @throws {NoAccessPointError | NotReadyError} */
function chooseAccess(attributes: Readonly<Record<string, string>>, context: ChoiceContext): AccessChoice {
  return accessPointsOf(chooseFor(attributes, context), context.config.control.regions);
}

/**
 * @throws {NoAccessPointError}
 * @throws {NotReadyError} no node takes devices now
 * @throws {DeviceRevokedError}
 * @throws what `decideTrust` and `issueToken` do
 */
export async function bootstrap(
  app: AppEntry,
  request: BootstrapRequest,
  context: BootstrapContext,
  { credentials, issuer, deviceSecrets }: ControlOptions,
): Promise<BootstrapAnswer> {
  const { config } = context;
  const access = chooseAccess(request.attributes, context);
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
    heartbeat: heartbeatBounds(config.heartbeat),
    report: config.report,
    retry: { minMs: config.retry.minMs, maxMs: config.retry.maxMs },
  };
}
