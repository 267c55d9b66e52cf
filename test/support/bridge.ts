/**
 * A bridge on a real socket before a fake router: the actor, made and started as a node does it.
 */
import type { ExecutionContext } from 'ava';
import { BridgeActor, type BridgeOptions } from '../../bridge/index.js';
import type { NodeView } from '../../cluster/index.js';
import { CurrentConfig, type NodeConfig, parseConfig } from '../../config/index.js';
import { FakeRouting } from './fake-routing.js';
import { type Call, createHttpClient } from './http-client.js';
import { captureLog, type LogCapture } from './log-capture.js';

export const KEYS = {
  im: 'im-business-key-0123456789',
  imNext: 'im-business-key-next-012345',
  live: 'live-business-key-0123456',
  demo: 'demo-app-key-0123456789',
  other: 'other-app-key-0123456789',
  admin: 'admin-key-0123456789',
};

export interface BridgeFixture {
  readonly call: Call;
  readonly routing: FakeRouting;
  readonly node: { ready: boolean; reason: string };
  readonly logs: LogCapture;
  readonly address: string;
  readonly actor: BridgeActor;
  readonly config: NodeConfig;
  /** `replace` is a reload. */
  readonly current: CurrentConfig;
}

export interface BridgeFixtureOptions extends BridgeOptions {
  readonly frameBytes?: number;
  /** Of business `im`. */
  readonly requestsPerSecond?: number;
  readonly adminKeys?: readonly string[];
}

export async function startBridge(
  t: ExecutionContext,
  { frameBytes = 64 * 1024, requestsPerSecond = 0, adminKeys = [], ...options }: BridgeFixtureOptions = {},
): Promise<BridgeFixture> {
  const config = bridgeConfig(frameBytes, requestsPerSecond, adminKeys);
  const current = new CurrentConfig(config);
  const routing = new FakeRouting();
  const logs = captureLog();
  const node = { ready: true, reason: '' };
  const view: NodeView = {
    isReady: () => node.ready,
    notReadyReason: () => node.reason,
    accessPoints: () => ({}),
    metrics: async () => '# TYPE trunkline_connections gauge\ntrunkline_connections 3\n',
    status: () => Promise.reject(new Error('this node has no status')),
  };
  const actor = new BridgeActor();
  const context = { config, current, log: logs.log, routing, node: view };
  actor.initialize({ getCustomParameters: () => ({ context, options }) });
  const address = await actor.start();
  const client = createHttpClient(address);
  t.teardown(async () => {
    await client.close();
    await actor.stop();
  });
  return { call: client.call, routing, node, logs, address, actor, config, current };
}

function bridgeConfig(frameBytes: number, requestsPerSecond: number, adminKeys: readonly string[]): NodeConfig {
  return parseConfig(
    JSON.stringify({
      private: { port: 0, adminKeys },
      limits: { frameBytes },
      apps: { demo: { keys: [KEYS.demo] }, other: { keys: [KEYS.other] } },
      businesses: {
        im: { id: 1, apps: ['demo'], keys: [KEYS.im, KEYS.imNext], requestsPerSecond },
        live: { id: 2, apps: ['demo', 'other'], keys: [KEYS.live] },
      },
    }),
  );
}
