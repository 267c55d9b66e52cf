/**
 * A real node: threads, sockets, bridge and control layer put together as the command does, on ports of the kernel's
 * choice and with a data directory of its own. It stops with the test.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type ComposedNode, startComposedNode } from '../../cli/compose.js';
import { type NodeConfig, parseConfig } from '../../config/index.js';
import { createClient, type NodeClientOptions, type TrunklineClient } from '../../sdk/node.js';
import type { AccessProtocol } from '../../transports/index.js';
import { type Call, createHttpClient } from './http-client.js';
import { captureLog, type LogCapture } from './log-capture.js';
import { RawDevice } from './raw-device.js';
import { TEST_KEYS, type TestNodeOptions, testConfig } from './test-config.js';

export { TEST_KEYS };

export interface TokenGrants {
  readonly uid?: string;
  readonly businesses?: readonly string[];
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

export interface TestClientOptions extends NodeClientOptions {
  readonly protocol?: AccessProtocol;
  readonly grants?: TokenGrants;
}

export interface PlacedClient {
  readonly client: TrunklineClient;
  readonly deviceId: string;
  /** Index of the access worker that holds it. */
  readonly worker: number;
}

const HTTP_CONNECTIONS = 32;
/** That many connections on one of two workers are as good as impossible. */
const MAX_SPREAD = 64;

/** A node of this test's own. */
export async function startTestNode(t: ExecutionContext, options: TestNodeOptions = {}): Promise<TestNode> {
  const node = await startNode(options);
  t.teardown(() => node.stop());
  return node;
}

/**
 * One node for all tests of a file, since its threads take a while to start: each test takes device and group names
 * that no other has.
 */
export function shareTestNode(options: TestNodeOptions = {}): () => TestNode {
  let node: TestNode | undefined;
  test.before('a node starts', async () => {
    node = await startNode(options);
  });
  test.after.always('the node stops', () => node?.stop());
  return () => {
    if (node === undefined) throw new Error('the shared node did not start');
    return node;
  };
}

async function startNode(options: TestNodeOptions): Promise<TestNode> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const removeDataDir = () => rm(dataDir, { recursive: true, force: true });
  const config = parseConfig(JSON.stringify(testConfig(dataDir, options)), { source: 'test configuration' });
  const logs = captureLog();
  try {
    const handle = await startComposedNode(config, logs.log);
    return new TestNode(handle, config, logs, removeDataDir);
  } catch (error) {
    await removeDataDir();
    throw error;
  }
}

export class TestNode {
  readonly handle: ComposedNode;
  readonly config: NodeConfig;
  readonly logs: LogCapture;
  /** `host:port` */
  readonly tcp: string;
  /** `ws://host:port/connect` */
  readonly ws: string;
  /** At the private listener. */
  readonly call: Call;
  /** Last in, first out. */
  readonly #cleanups: (() => unknown)[] = [];

  constructor(handle: ComposedNode, config: NodeConfig, logs: LogCapture, removeDataDir: () => Promise<void>) {
    const { tcp = '', ws, services } = handle.addresses;
    const http = createHttpClient(services['BridgeActor'] ?? '', HTTP_CONNECTIONS);
    this.handle = handle;
    this.config = config;
    this.logs = logs;
    this.tcp = tcp;
    this.ws = `ws://${ws}/connect`;
    this.call = http.call;
    this.#cleanups.push(
      removeDataDir,
      () => handle.stop(),
      () => http.close(),
    );
  }

  /** @returns a device's token for what the app may grant, or less, from the app's back-end route */
  async issueToken(
    deviceId: string,
    grants: TokenGrants = {},
  ): Promise<{ token: string; expiresAtMs: number; jti: string }> {
    const body = { app: 'demo', deviceId, ...grants };
    const answer = await this.call('POST', '/v1/tokens', { key: TEST_KEYS.app, body });
    if (answer.status !== 200) throw new Error(`no token: ${answer.text}`);
    return answer.json;
  }

  /** As a bootstrap would name it. */
  accessPoint(protocol: AccessProtocol): string {
    const address = this.handle.addresses[protocol];
    return protocol === 'ws' || protocol === 'wss' ? `${protocol}://${address}/connect` : `${address}`;
  }

  /** An SDK client that comes back quickly; ends with the node. */
  client(deviceId: string, { protocol = 'tcp', grants, ...options }: TestClientOptions = {}): TrunklineClient {
    const client = createClient({
      credentials: async () => ({
        ...(await this.issueToken(deviceId, grants)),
        accessPoints: { [protocol]: [this.accessPoint(protocol)] },
        retry: { minMs: 50, maxMs: 1_000 },
      }),
      ...options,
    });
    this.#cleanups.push(() => client.close());
    return client;
  }

  /** A client that is online, and the access worker that holds it. */
  async online(deviceId: string, options?: TestClientOptions): Promise<TrunklineClient> {
    const client = this.client(deviceId, options);
    await client.connect();
    return client;
  }

  /** Clients in such a number that both access workers hold some; the protocols take turns. */
  async onlineOnBothWorkers(namePrefix: string): Promise<PlacedClient[]> {
    const placed: PlacedClient[] = [];
    while (placed.length < MAX_SPREAD && new Set(placed.map(({ worker }) => worker)).size < 2) {
      const protocol = placed.length % 2 === 0 ? 'tcp' : 'ws';
      const client = this.client(`${namePrefix}-${placed.length}`, { protocol });
      const online = new Promise<string>((resolve) => {
        client.on('online', ({ connectionId }) => resolve(connectionId));
      });
      await client.connect();
      placed.push({ client, deviceId: `${namePrefix}-${placed.length}`, worker: workerOf(await online) });
    }
    return placed;
  }

  /** A link that speaks frames by hand, not logged in; ends with the node. */
  async rawLink(): Promise<RawDevice> {
    const link = await RawDevice.open(this.tcp);
    this.#cleanups.push(() => link.cut());
    return link;
  }

  /** A link that speaks frames by hand, logged in. */
  async rawDevice(deviceId: string): Promise<RawDevice> {
    const device = await this.rawLink();
    device.deviceId = deviceId;
    await device.login((await this.issueToken(deviceId)).token);
    return device;
  }

  async stop(): Promise<void> {
    for (let cleanup = this.#cleanups.pop(); cleanup !== undefined; cleanup = this.#cleanups.pop()) await cleanup();
  }
}

/** No machine is that slow: whoever waits longer waits for what does not come. */
const NEVER_MS = 120_000;

/**
 * Resolves when `condition` holds.
 *
 * @throws {Error} it never did; the stack shows which one
 */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const never = new Error(`not so after ${NEVER_MS} ms: ${condition}`);
  const untilMs = performance.now() + NEVER_MS;
  while (!(await condition())) {
    if (performance.now() > untilMs) throw never;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The access worker that holds a connection, from the id it was told. */
export function workerOf(connectionId: string): number {
  return Number.parseInt(connectionId.split('-')[1] ?? '', 36);
}
