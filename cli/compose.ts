/**
 * The composition root: the one place that knows every folder. Keys are opened before anything listens, so that a
 * wrong file mode stops the start and not the first device.
 */
import type { Logger } from 'winston';
import { createBridgeService } from '../bridge/index.js';
import { Credentials, type NodeHandle, startNode } from '../cluster/index.js';
import { CurrentConfig, type NodeConfig } from '../config/index.js';
import {
  createAdminExplainRoutes,
  createControlService,
  createExplainRoutes,
  createPolicyRoutes,
  createRevocationRoutes,
  createTokenRoutes,
  longestTokenLifeMs,
  Policies,
} from '../control/index.js';
import { DeviceSecrets, TokenIssuer } from '../tokens/index.js';
import { Reloader } from './reloader.js';

export interface ComposeOptions {
  /** Where the configuration is read again; without it the node has no reload. */
  readonly readConfig?: () => NodeConfig;
}

export interface ComposedNode extends NodeHandle {
  readonly credentials: Credentials;
  /** Absent without `readConfig`. */
  readonly reloader?: Reloader | undefined;
}

/**
 * A node serves what its roles say: without `control` it has no public listener, and without `bridge` the private one is
 * for operators and machines alone.
 *
 * @returns the running node; the caller stops it
 */
export async function startComposedNode(
  config: NodeConfig,
  log: Logger,
  { readConfig }: ComposeOptions = {},
): Promise<ComposedNode> {
  const { dataDir } = config.node;
  const credentials = await Credentials.open({ dataDir, log, longestLifeMs: longestTokenLifeMs(config) });
  if (config.engine.type === 'redis') logKeys(credentials, log);
  const deviceSecrets = await DeviceSecrets.open(dataDir);
  const issuer = new TokenIssuer({ keys: credentials.keys });
  const current = new CurrentConfig(config);
  const policies = new Policies({ config: current, log });
  const prepare = (next: NodeConfig) => {
    const apply = policies.prepare(next);
    return () => (apply() ? ['control.policies.file'] : []);
  };
  const reloader = readConfig && new Reloader({ read: readConfig, prepare, log });
  const bridge = createBridgeService({
    plugins: [
      () => createTokenRoutes({ config: current, issuer, credentials }),
      () => createRevocationRoutes({ config: current, credentials }),
      (context) => createExplainRoutes(context, policies),
    ],
    adminPlugins: [
      (context) => createAdminExplainRoutes(context, policies),
      (context) => createPolicyRoutes(context, policies),
    ],
    admin: {
      reload: reloader && (() => reloader.reload()),
      rotateKeys: () => credentials.rotateKeys(),
      revoke: (request) => credentials.revoke(request),
      liftRevocation: (app, deviceId) => credentials.liftRevocation(app, deviceId),
    },
  });
  const control = createControlService({ credentials, issuer, deviceSecrets, policies });
  const isControl = config.node.roles.includes('control');
  const services = isControl ? [bridge, control] : [bridge];
  const node = await startNode({ config: current, log, credentials, policies, services });
  reloader?.attach(node);
  return { ...node, credentials, reloader };
}

/** Nodes that do not know each other's keys refuse each other's tokens: whoever compares two logs sees it. */
function logKeys({ keys }: Credentials, log: Logger): void {
  const accepted = keys.publicJwks().keys.map(({ kid }) => kid);
  log.info('device tokens are signed and accepted by these keys', { signs: keys.current.kid, accepted });
}
