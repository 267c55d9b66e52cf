/**
 * A service of several nodes as operators run it: a process each, on ports of the kernel's choice, which meet in a Redis
 * of the test's own and share the keys that sign tokens. A node is stopped, stalled or killed by its process id, and
 * everything ends with the test.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { ConfigInput } from '../../config/index.js';
import { BackEndClient } from '../../sdk/backend/index.js';
import { createClient, type NodeClientOptions, type TrunklineClient } from '../../sdk/node.js';
import { DeviceSecrets, SigningKeys, TokenIssuer } from '../../tokens/index.js';
import { type Call, createHttpClient } from './http-client.js';
import { NodeProcess } from './node-process.js';
import { RedisServer, type RedisServerOptions } from './redis-server.js';
import { eventually } from './start-test-node.js';
import { TEST_KEYS, type TestNodeOptions, testConfig } from './test-config.js';

export { eventually, TEST_KEYS };

export const ADMIN_KEY = 'test-admin-key-0123456789';

const TOKEN_TTL_MS = 3_600_000;
/** Quick enough for a test, slow enough that a stalled machine is not taken for a dead node. */
const LEASE_MS = 2_000;
/** Of a node's log, shown when the test fails, in characters. */
const LOG_TAIL = 4_000;

export interface TestClusterOptions {
  readonly engine: NonNullable<ConfigInput['engine']>;
  /** Nodes to begin with, `node-1` and on. Default 3. */
  readonly size?: number;
  readonly leaseMs?: number;
  /** Of each node. One access worker unless it says otherwise. */
  readonly node?: TestNodeOptions;
  readonly control?: ConfigInput['control'];
}

export interface AddOptions {
  readonly name?: string;
  /** Address that it listens at. Default 127.0.0.1. */
  readonly host?: string;
  /** A command that becomes the node, such as `ip netns exec NAME`. */
  readonly wrapper?: readonly string[];
  readonly engine?: NonNullable<ConfigInput['engine']>;
}

export interface ClusterClientOptions extends NodeClientOptions {
  /** Where it connects, in this order. Default: every node. */
  readonly to?: readonly ClusterNode[];
  readonly uid?: string;
}

type Teardown = Pick<ExecutionContext, 'teardown' | 'passed'>;

export class TestCluster {
  readonly nodes: ClusterNode[] = [];
  readonly #t: Teardown;
  readonly #options: TestClusterOptions;
  readonly #keysDir: string;
  readonly #issuer: TokenIssuer;
  #added = 0;

  /** Resolves when every node knows every other. */
  static async start(t: Teardown, options: TestClusterOptions): Promise<TestCluster> {
    const keysDir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
    t.teardown(() => rmSync(keysDir, { recursive: true, force: true }));
    await DeviceSecrets.open(keysDir);
    const keys = await SigningKeys.open(keysDir);
    const cluster = new TestCluster(t, options, keysDir, new TokenIssuer({ keys }));
    await Promise.all(Array.from({ length: options.size ?? 3 }, () => cluster.add()));
    cluster.nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
    await cluster.joined();
    return cluster;
  }

  private constructor(t: Teardown, options: TestClusterOptions, keysDir: string, issuer: TokenIssuer) {
    this.#t = t;
    this.#options = options;
    this.#keysDir = keysDir;
    this.#issuer = issuer;
  }

  /** Starts another node, or one under a name that was there before. */
  async add(options: AddOptions = {}): Promise<ClusterNode> {
    const name = options.name ?? `node-${++this.#added}`;
    const process = await NodeProcess.launch(this.#t, {
      config: (dataDir) => this.#configOf(dataDir, name, options),
      ...(options.wrapper === undefined ? {} : { wrapper: options.wrapper }),
    });
    const node = new ClusterNode(this.#t, name, process);
    this.#t.teardown(() => {
      if (!this.#t.passed) console.error(`${name} (${node.tcp}) said:\n${process.stderr.slice(-LOG_TAIL)}`);
    });
    this.nodes.push(node);
    return node;
  }

  /** Resolves when `nodes` (all by default) count exactly each other. */
  async joined(nodes: readonly ClusterNode[] = this.nodes): Promise<void> {
    const names = nodes.map(({ name }) => name).sort();
    for (const node of nodes) {
      await eventually(async () => (await node.peers()).join() === names.join());
    }
  }

  /** A token that every node accepts, made here: thousands need no request each. */
  token(deviceId: string, { uid }: { readonly uid?: string } = {}): Promise<{ token: string; expiresAtMs: number }> {
    const businesses = ['im', 'live'];
    return this.#issuer.issue({ app: 'demo', deviceId, uid, businesses, groups: {}, ttlMs: TOKEN_TTL_MS });
  }

  /** An SDK client that comes back quickly; ends with the test. */
  client(deviceId: string, { to, uid, ...options }: ClusterClientOptions = {}): TrunklineClient {
    const client = createClient({
      credentials: async () => ({
        ...(await this.token(deviceId, uid === undefined ? {} : { uid })),
        accessPoints: { tcp: (to ?? this.nodes).map(({ tcp }) => tcp) },
        retry: { minMs: 50, maxMs: 500 },
      }),
      ...options,
    });
    this.#t.teardown(() => client.close());
    return client;
  }

  /** One that is online. */
  async online(deviceId: string, options?: ClusterClientOptions): Promise<TrunklineClient> {
    const client = this.client(deviceId, options);
    await client.connect();
    return client;
  }

  #configOf(dataDir: string, name: string, { host, engine = this.#options.engine }: AddOptions): ConfigInput {
    this.#copyKeys(dataDir);
    const { leaseMs = LEASE_MS, node, control } = this.#options;
    const config = testConfig(dataDir, { workers: 1, ...node });
    const at = host === undefined ? {} : { host };
    return {
      ...config,
      node: { ...config.node, name, logLevel: 'info' },
      engine,
      cluster: { leaseMs },
      ...(control === undefined ? {} : { control }),
      access: { tcp: { port: 0, ...at }, ws: { port: 0, ...at } },
      public: { ...config.public, ...at },
      private: { ...config.private, ...at, adminKeys: [ADMIN_KEY] },
    };
  }

  #copyKeys(dataDir: string): void {
    for (const folder of ['.', 'keys']) {
      const from = join(this.#keysDir, folder);
      mkdirSync(join(dataDir, folder), { recursive: true, mode: 0o700 });
      for (const entry of readdirSync(from, { withFileTypes: true })) {
        if (entry.isFile()) copyFileSync(join(from, entry.name), join(dataDir, folder, entry.name));
      }
    }
  }
}

/** One node, seen from outside. */
export class ClusterNode {
  readonly name: string;
  /** `host:port` of its TCP access point. */
  readonly tcp: string;
  /** At the private listener. */
  readonly call: Call;
  /** At the public listener. */
  readonly callPublic: Call;
  readonly exited: Promise<number | string>;
  readonly #t: Teardown;
  readonly #process: NodeProcess;

  constructor(t: Teardown, name: string, process: NodeProcess) {
    const { tcp, services } = process.addresses;
    const bridge = createHttpClient(services.BridgeActor, 32);
    const control = createHttpClient(services.ControlActor);
    t.teardown(() => Promise.all([bridge.close(), control.close()]));
    this.name = name;
    this.tcp = tcp;
    this.call = bridge.call;
    this.callPublic = control.call;
    this.exited = process.exited;
    this.#t = t;
    this.#process = process;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Its log. */
  get stderr(): string {
    return this.#process.stderr;
  }

  /** The back-end client of one business at this node. */
  backEnd(business: 'im' | 'live' = 'im'): BackEndClient {
    const client = new BackEndClient({
      url: `http://${this.#process.addresses.services.BridgeActor}`,
      key: TEST_KEYS[business],
      app: 'demo',
      connections: 32,
      timeoutMs: 60_000,
    });
    this.#t.teardown(() => client.close());
    return client;
  }

  /** SIGTERM drains, SIGSTOP stalls every thread, SIGCONT lets them go on. */
  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  /** As a power cut: nothing is said and nothing is tidied. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** An operator's request. */
  admin(method: string, path: string, body?: unknown) {
    return this.call(method, path, { key: ADMIN_KEY, ...(body === undefined ? {} : { body }) });
  }

  /** What this node says of another one's last start: `joined`, `suspect`, `gone`. */
  async stateOf({ name }: ClusterNode): Promise<string | undefined> {
    return (await this.#view()).findLast((node) => node.name === name)?.state;
  }

  /** Names of the nodes whose leases stand as this one sees it, itself included, sorted. */
  async peers(): Promise<string[]> {
    return (await this.#view())
      .filter(({ state }) => state === 'joined')
      .map(({ name }) => name)
      .sort();
  }

  async #view(): Promise<{ name: string; state: string; incarnation: string }[]> {
    return (await this.admin('GET', '/v1/admin/cluster')).json?.nodes ?? [];
  }
}

/** A Redis that ends with the test. */
export async function startRedis(t: Teardown, options: RedisServerOptions = {}): Promise<RedisServer> {
  const redis = await RedisServer.start(options);
  t.teardown(() => redis.stop());
  return redis;
}

export function engineAt(...addresses: string[]): { type: 'redis'; addresses: string[] } {
  return { type: 'redis', addresses };
}

/** A time limit of Redis's commands for tests in which Redis does nothing: a machine that stalls is not its fault. */
export const PATIENT_MS = 2_000;

/** For what must not happen: long enough that it would have. */
export function sleep(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, timeMs));
}

/** Of a figure that a test logs. */
export function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
