/** A running node as its clients see it: by its addresses alone, in whatever process it lives. */
import { createClient, type TrunklineClient } from '../../sdk/node.js';
import { type Call, createHttpClient } from './http-client.js';
import type { ProcessAddresses } from './node-process.js';
import { RawDevice } from './raw-device.js';
import { TEST_KEYS } from './test-config.js';

export interface TokenGrants {
  readonly businesses?: readonly string[];
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

const HTTP_CONNECTIONS = 16;

export class NodeTarget {
  /** `host:port` */
  readonly tcp: string;
  /** `host:port` */
  readonly ws: string;
  /** `host:port` of the private listener. */
  readonly bridge: string;
  /** At the private listener. */
  readonly call: Call;
  /** Last in, first out. */
  protected readonly cleanups: (() => unknown)[] = [];

  constructor({ tcp, ws, services }: ProcessAddresses) {
    const http = createHttpClient(services.BridgeActor, HTTP_CONNECTIONS);
    this.tcp = tcp;
    this.ws = ws;
    this.bridge = services.BridgeActor;
    this.call = http.call;
    this.cleanups.push(() => http.close());
  }

  async issueToken(deviceId: string, grants: TokenGrants = {}): Promise<{ token: string; expiresAtMs: number }> {
    const body = { app: 'demo', deviceId, ...grants };
    const answer = await this.call('POST', '/v1/tokens', { key: TEST_KEYS.app, body });
    if (answer.status !== 200) throw new Error(`no token: ${answer.text}`);
    return answer.json;
  }

  /** An SDK client, online; ends with this. */
  async online(deviceId: string, protocol: 'tcp' | 'ws' = 'tcp'): Promise<TrunklineClient> {
    const client = createClient({
      credentials: async () => ({
        ...(await this.issueToken(deviceId)),
        accessPoints: protocol === 'tcp' ? { tcp: [this.tcp] } : { ws: [`ws://${this.ws}/connect`] },
        retry: { minMs: 50, maxMs: 1_000 },
      }),
    });
    this.cleanups.push(() => client.close());
    await client.connect();
    return client;
  }

  /** A link that speaks frames by hand, not logged in; whoever opened it cuts it. */
  rawLink(localAddress?: string): Promise<RawDevice> {
    return RawDevice.open(this.tcp, localAddress);
  }

  /** The same, logged in. */
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

  async stop(): Promise<void> {
    for (let cleanup = this.cleanups.pop(); cleanup !== undefined; cleanup = this.cleanups.pop()) await cleanup();
  }
}
