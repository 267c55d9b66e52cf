/**
 * The composition root: the one place that knows every folder. Keys are opened before anything listens, so that a
 * wrong file mode stops the start and not the first device.
 */
import type { Logger } from 'winston';
import { createBridgeService } from '../bridge/index.js';
import { type NodeHandle, startNode } from '../cluster/index.js';
import type { NodeConfig } from '../config/index.js';
import { createControlService, createTokenRoutes } from '../control/index.js';
import { DeviceSecrets, SigningKeys, TokenIssuer } from '../tokens/index.js';

/** @returns the running node; the caller stops it */
export async function startComposedNode(config: NodeConfig, log: Logger): Promise<NodeHandle> {
  const { dataDir } = config.node;
  const keys = await SigningKeys.open(dataDir);
  const deviceSecrets = await DeviceSecrets.open(dataDir);
  const issuer = new TokenIssuer({ keys });
  return startNode({
    config,
    log,
    jwks: keys.publicJwks(),
    services: [
      createBridgeService({ plugins: [createTokenRoutes({ config, issuer })] }),
      createControlService({ keys, issuer, deviceSecrets }),
    ],
  });
}
