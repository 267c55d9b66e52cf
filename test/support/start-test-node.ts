/**
 * A real node: threads, sockets, bridge and control layer put together as the command does, on ports of the kernel's
 * choice and with a data directory of its own. It stops with the test.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { startComposedNode } from '../../cli/compose.js';
import type { NodeHandle } from '../../cluster/index.js';
import { type ConfigInput, type NodeConfig, parseConfig } from '../../config/index.js';
import { createClient, type NodeClientOptions, type TrunklineClient } from '../../sdk/node.js';
import { type Call, createHttpClient } from './http-client.js';
import { captureLog, type LogCapture } from './log-capture.js';
import { RawDevice } from './raw-device.js';

export const TEST_KEYS = {
  app: 'test-app-key-0123456789',
  im: 'test-im-key-0123456789',
  live: 'test-live-key-0123456789',
  signing: 'test-signing-secret-0123456789',
};

export interface TestNodeOptions {
  readonly workers?: number;
  readonly drainMs?: number;
  /** Of business `im`. */
  readonly upstreamUrl?: string;
  readonly limits?: ConfigInput['limits'];
  readonly access?: ConfigInput['access'];
}

export interface TestNode {
  readonly handle: NodeHandle;
  readonly config: NodeConfig;
  readonly logs: LogCapture;
  /** `host:port` */
  readonly tcp: string;
  /** `ws://host:port/connect` */
  readonly ws: string;
  /** At the private listener. */
  readonly call: Call;
  /** @returns a device's token for both businesses, from the app's back-end route */
  issueToken(deviceId: string, grants?: TokenGrants): Promise<{ token: string; expiresAtMs: number }>;
  /** An SDK client that comes back quickly; ends with the test. */
  client(deviceId: string, options?: TestClientOptions): TrunklineClient;
  /** A client that is online. */
  online(deviceId: string, options?: TestClientOptions): Promise<TrunklineClient>;
  /** A link that speaks frames by hand, logged in; ends with the test. */
  rawDevice(deviceId: string): Promise<RawDevice>;
}

export interface TokenGrants {
  readonly businesses?: readonly string[];
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

export interface TestClientOptions extends NodeClientOptions {
  readonly protocol?: 'tcp' | 'ws';
  readonly grants?: TokenGrants;
}

export async function startTestNode(t: ExecutionContext, options: TestNodeOptions = {}): Promise<TestNode> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const config = parseConfig(JSON.stringify(testConfig(dataDir, options)), { source: 'test configuration' });
  const logs = captureLog();
  const handle = await startComposedNode(config, logs.log);
  t.teardown(() => handle.stop());
  const { tcp = '', ws = '', services } = handle.addresses;
  const http = createHttpClient(services['BridgeActor'] ?? '', 32);
  t.teardown(() => http.close());

  const issueToken: TestNode['issueToken'] = async (deviceId, grants = {}) => {
    const answer = await http.call('POST', '/v1/tokens', {
      key: TEST_KEYS.app,
      body: { app: 'demo', deviceId, ...grants },
    });
    if (answer.status !== 200) throw new Error(`no token: ${answer.text}`);
    return answer.json;
  };
  const client: TestNode['client'] = (deviceId, { protocol = 'tcp', grants, ...clientOptions } = {}) => {
    const made = createClient({
      credentials: async () => ({
        ...(await issueToken(deviceId, grants)),
        accessPoints: protocol === 'tcp' ? { tcp: [tcp] } : { ws: [`ws://${ws}/connect`] },
        retry: { minMs: 50, maxMs: 1_000 },
      }),
      ...clientOptions,
    });
    t.teardown(() => made.close());
    return made;
  };
  return {
    handle,
    config,
    logs,
    tcp,
    ws: `ws://${ws}/connect`,
    call: http.call,
    issueToken,
    client,
    online: async (deviceId, clientOptions) => {
      const made = client(deviceId, clientOptions);
      await made.connect();
      return made;
    },
    rawDevice: async (deviceId) => {
      const device = await RawDevice.open(tcp);
      t.teardown(() => device.cut());
      await device.login((await issueToken(deviceId)).token);
      return device;
    },
  };
}

/** As `trunkline start` would read it; `upstreamUrl` and ports are the test's. */
export function testConfig(dataDir: string, options: TestNodeOptions = {}): ConfigInput {
  const { workers = 2, drainMs = 3_000, upstreamUrl, limits, access } = options;
  return {
    node: { name: 'test', dataDir, workers, drainMs, logLevel: 'debug' },
    access: { tcp: { port: 0 }, ws: { port: 0 }, ...access },
    public: { port: 0 },
    private: { port: 0 },
    ...(limits === undefined ? {} : { limits }),
    apps: { demo: { keys: [TEST_KEYS.app], origins: ['*'] } },
    businesses: {
      im: {
        id: 1,
        apps: ['demo'],
        public: true,
        keys: [TEST_KEYS.im],
        groups: { open: ['room-*'] },
        ...(upstreamUrl === undefined ? {} : { upstream: { url: upstreamUrl, signingSecret: TEST_KEYS.signing } }),
      },
      live: {
        id: 2,
        apps: ['demo'],
        public: true,
        keys: [TEST_KEYS.live],
        groups: { createOnJoin: true, open: ['stage-*'] },
      },
    },
  };
}

/** Resolves when `condition` holds; the test's own timeout is the limit. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The access worker that holds a connection, from the id it was told. */
export function workerOf(connectionId: string): number {
  return Number.parseInt(connectionId.split('-')[1] ?? '', 36);
}
