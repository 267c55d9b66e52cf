/**
 * A node in a process of its own, with its heaps and its memory in view: what it holds can be told from what the test
 * holds. Business `im` has a back-end that echoes.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { createClient, type TrunklineClient } from '../../sdk/node.js';
import { type Call, createHttpClient } from './http-client.js';
import { INSPECT_FLAG, NodeInspector } from './node-inspector.js';
import { NodeProcess, type ProcessAddresses } from './node-process.js';
import { RawDevice } from './raw-device.js';
import type { TokenGrants } from './start-test-node.js';
import { TEST_KEYS, type TestNodeOptions } from './test-config.js';

const HTTP_CONNECTIONS = 16;

type Cleanup = () => unknown;

/** One node for all tests of a file; each test takes device and group names that no other has. */
export function shareInspectedNode(options: TestNodeOptions = {}): () => InspectedNode {
  let node: InspectedNode | undefined;
  test.before('a node starts in a process of its own', async () => {
    node = await InspectedNode.start(options);
  });
  test.after.always('the node stops', () => node?.stop());
  return () => {
    if (node === undefined) throw new Error('the shared node did not start');
    return node;
  };
}

export class InspectedNode {
  readonly inspector: NodeInspector;
  /** `host:port` */
  readonly tcp: string;
  /** `host:port` */
  readonly ws: string;
  /** With the node's own keys. */
  readonly dataDir: string;
  /** `host:port` of the private listener. */
  readonly bridge: string;
  /** At the private listener. */
  readonly call: Call;
  readonly #process: NodeProcess;
  /** Last in, first out. */
  readonly #cleanups: Cleanup[];

  static async start(options: TestNodeOptions = {}): Promise<InspectedNode> {
    const cleanups: Cleanup[] = [];
    const echo = createServer((request, response) => request.pipe(response));
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    cleanups.push(
      () => echo.close(),
      () => echo.closeAllConnections(),
    );
    const upstreamUrl = `http://127.0.0.1:${(echo.address() as AddressInfo).port}/`;
    const t = { teardown: (cleanup: Cleanup) => cleanups.push(cleanup) };
    const process = await NodeProcess.start(t as never, { upstreamUrl, ...options }, [INSPECT_FLAG]);
    const inspector = await NodeInspector.open(() => process.stderr);
    return new InspectedNode(process, inspector, process.addresses, cleanups);
  }

  private constructor(
    process: NodeProcess,
    inspector: NodeInspector,
    { tcp, ws, services }: ProcessAddresses,
    cleanups: Cleanup[],
  ) {
    const http = createHttpClient(services.BridgeActor, HTTP_CONNECTIONS);
    this.inspector = inspector;
    this.tcp = tcp;
    this.ws = ws;
    this.bridge = services.BridgeActor;
    this.call = http.call;
    this.#process = process;
    this.dataDir = process.dataDir;
    this.#cleanups = cleanups;
    cleanups.push(
      () => http.close(),
      () => inspector.close(),
    );
  }

  /** What the process wrote to standard error. */
  get stderr(): string {
    return this.#process.stderr;
  }

  async issueToken(deviceId: string, grants: TokenGrants = {}): Promise<{ token: string; expiresAtMs: number }> {
    const answer = await this.call('POST', '/v1/tokens', {
      key: TEST_KEYS.app,
      body: { app: 'demo', deviceId, ...grants },
    });
    if (answer.status !== 200) throw new Error(`no token: ${answer.text}`);
    return answer.json;
  }

  /** An SDK client, online; ends with the node. */
  async online(deviceId: string, protocol: 'tcp' | 'ws' = 'tcp'): Promise<TrunklineClient> {
    const client = createClient({
      credentials: async () => ({
        ...(await this.issueToken(deviceId)),
        accessPoints: protocol === 'tcp' ? { tcp: [this.tcp] } : { ws: [`ws://${this.ws}/connect`] },
        retry: { minMs: 50, maxMs: 1_000 },
      }),
    });
    this.#cleanups.push(() => client.close());
    await client.connect();
    return client;
  }

  /** A link that speaks frames by hand, not logged in; ends with the node. */
  async rawLink(localAddress?: string): Promise<RawDevice> {
    const link = await RawDevice.open(this.tcp, localAddress);
    this.#cleanups.push(() => link.cut());
    return link;
  }

  async rawDevice(deviceId: string, grants?: TokenGrants): Promise<RawDevice> {
    const device = await this.rawLink();
    device.deviceId = deviceId;
    await device.login((await this.issueToken(deviceId, grants)).token);
    return device;
  }

  /** One sample of `/metrics`; 0 when there is none. */
  async metric(name: string, labels = ''): Promise<number> {
    const { text } = await this.call('GET', '/metrics');
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}${labels} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  /** The most resident memory since `forgetPeak`. */
  peakBytes(): number {
    return this.#status('VmHWM') * 1024;
  }

  residentBytes(): number {
    return this.#status('VmRSS') * 1024;
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.#process.pid}/clear_refs`, '5');
  }

  openFiles(): number {
    return readdirSync(`/proc/${this.#process.pid}/fd`).length;
  }

  async stop(): Promise<void> {
    for (let cleanup = this.#cleanups.pop(); cleanup !== undefined; cleanup = this.#cleanups.pop()) await cleanup();
  }

  #status(field: string): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  }
}
