/**
 * A bridge on a real socket before a fake router: the actor, made and started as a node does it.
 */
import type { ExecutionContext } from 'ava';
import { BridgeActor, type BridgeOptions } from '../../bridge/index.js';
import type { NodeRole, NodeView } from '../../cluster/index.js';
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

/** The node as the bridge sees it; all of it the test's to change. */
export interface FixtureNode extends Pick<NodeView, 'cluster' | 'drain'> {
  ready: boolean;
  reason: string;
}

export interface BridgeFixture {
  readonly call: Call;
  readonly routing: FakeRouting;
  readonly node: FixtureNode;
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
  /** Other than all of them takes an engine of many nodes, which the bridge never meets. */
  readonly roles?: readonly NodeRole[];
}

export async function startBridge(
  t: ExecutionContext,
  { frameBytes = 64 * 1024, requestsPerSecond = 0, adminKeys = [], roles, ...options }: BridgeFixtureOptions = {},
): Promise<BridgeFixture> {
  const config = bridgeConfig(frameBytes, requestsPerSecond, adminKeys, roles);
  const current = new CurrentConfig(config);
  const routing = new FakeRouting();
  const logs = captureLog();
  const node: FixtureNode = {
    ready: true,
    reason: '',
    cluster: () => {
      throw new Error('this node has no cluster');
    },
    drain: () => {
      throw new Error('this node does not drain');
    },
  };
  const view: NodeView = {
    isReady: () => node.ready,
    notReadyReason: () => node.reason,
    accessPoints: () => ({}),
    nodes: () => [],
    cluster: () => node.cluster(),
    drain: (request) => node.drain(request),
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

function bridgeConfig(
  frameBytes: number,
  requestsPerSecond: number,
  adminKeys: readonly string[],
  roles: readonly NodeRole[] | undefined,
): NodeConfig {
  return parseConfig(
    JSON.stringify({
      ...(roles === undefined ? {} : { node: { roles }, engine: { type: 'redis' } }),
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
