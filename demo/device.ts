/**
 * A device that the demo brings along, so that the printed commands have somebody to reach: the SDK's Node client
 * over TCP, on the roster, in the live room. It answers messages, though never another of its kind, or two of them
 * would talk for ever.
 */
import { BackEndClient } from '../sdk/backend/index.js';
import { createClient, type Push, type TrunklineClient, tcpConnector } from '../sdk/node.js';
import { DEMO_APP, DEMO_ROOM } from './config.js';

const ID_PREFIX = 'demo-device-';
/** A reply that comes at once looks like an echo. */
const REPLY_AFTER_MS = 600;

export interface DemoDeviceOptions {
  /** Begins with `demo-device-`. */
  readonly deviceId: string;
  /** The private listener, where tokens come from. */
  readonly bridgeUrl: string;
  /** `host:port` of access over TCP. */
  readonly tcp: string;
  readonly appKey: string;
  /** A push that a person sent, in one line; the generated comments are not told. */
  readonly onPush: (text: string) => void;
}

export class DemoDevice {
  readonly #options: DemoDeviceOptions;
  readonly #tokens: BackEndClient;
  readonly #client: TrunklineClient;

  constructor(options: DemoDeviceOptions) {
    const { deviceId, bridgeUrl, tcp, appKey } = options;
    this.#options = options;
    this.#tokens = new BackEndClient({ url: bridgeUrl, key: appKey, app: DEMO_APP, connections: 1 });
    this.#client = createClient({
      transports: { tcp: tcpConnector },
      credentials: async () => ({
        ...(await this.#tokens.issueToken({ deviceId })),
        accessPoints: { tcp: [tcp] },
        retry: { minMs: 500, maxMs: 5_000 },
      }),
    });
    this.#client.business('im').onPush((push) => this.#onMessage(push));
    this.#client.business('live').onPush((push) => this.#onRoom(push));
    // Back online after a cut or a restart: on the roster again.
    this.#client.on('online', () => void this.#hello().catch(() => {}));
  }

  /** Resolves when the device is online and in the room. */
  async start(): Promise<void> {
    await this.#client.connect();
    await this.#hello();
    await this.#client.business('live').join(DEMO_ROOM);
  }

  async close(): Promise<void> {
    this.#client.close();
    await this.#tokens.close();
  }

  async #hello(): Promise<void> {
    await this.#client.business('im').request('hello', JSON.stringify({ name: this.#options.deviceId }));
  }

  #onMessage(push: Push): void {
    const { kind } = push.metadata;
    if (kind === 'roster') return;
    if (kind !== 'message') return this.#options.onPush(`im: ${push.text()}`);
    const { from, fromDevice, text } = push.json() as { from: string; fromDevice: string; text: string };
    this.#options.onPush(`im: ${text} (from ${from})`);
    if (!fromDevice.startsWith(ID_PREFIX)) setTimeout(() => this.#reply(fromDevice, text), REPLY_AFTER_MS).unref();
  }

  #reply(to: string, text: string): void {
    const { deviceId } = this.#options;
    const reply = { to, text: `This is ${deviceId}, a Node process on TCP. I read: ${text.slice(0, 200)}` };
    // Whoever wrote may be gone by now.
    this.#client
      .business('im')
      .request('send', JSON.stringify(reply))
      .catch(() => {});
  }

  #onRoom(push: Push): void {
    if (push.metadata['kind'] === 'comment') return;
    this.#options.onPush(`live: ${push.text()} (${push.group} #${push.offset})`);
  }
}
