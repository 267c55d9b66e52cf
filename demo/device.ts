/**
 * A device that the demo brings along, so that the printed commands have somebody to reach: the SDK's Node client, on the
 * roster, in the live room. It answers messages, though never another of its kind, or two of them would talk for ever.
 *
 * Its back-end may ask it to connect by another protocol. Then it is a client of its own for each choice, and the new one
 * is online before the old one goes: a choice that does not work out changes nothing.
 */
import {
  createClient,
  nodeTransports,
  type Protocol,
  type Push,
  type ServedReply,
  Status,
  type TrunklineClient,
} from '../sdk/node.js';
import { DEMO_APP, DEMO_DEVICE_PREFIX, DEMO_ROOM } from './config.js';
import { type Choice, isChoice, type WayIn } from './way-in.js';

/** A reply that comes at once looks like an echo. */
const REPLY_AFTER_MS = 600;
/** Whoever is not online by then stays with what it had. */
const SWITCH_LIMIT_MS = 8_000;

export interface DemoDeviceOptions {
  /** Begins with `demo-device-`. */
  readonly deviceId: string;
  /** Base URL of the control layer. */
  readonly controlUrl: string;
  /** Fetches the app's word for who this device is. */
  readonly assertion: () => Promise<string>;
  /** The demo's certificate (PEM). */
  readonly ca: string;
  /** Those that the demo's node speaks. */
  readonly protocols: readonly Protocol[];
  /** How it connects until it is switched. */
  readonly choice: Choice;
  /** A push that a person sent, in one line; the generated comments are not told. */
  readonly onPush: (text: string) => void;
}

export class DemoDevice {
  readonly #options: DemoDeviceOptions;
  #client: TrunklineClient;
  #wayIn: WayIn | undefined;
  /** While it switches: the client that is to take over. */
  #next: TrunklineClient | undefined;

  constructor(options: DemoDeviceOptions) {
    this.#options = options;
    this.#client = this.#createClient(options.choice);
  }

  /** Resolves when the device is online, on the roster and in the room. */
  async start(): Promise<void> {
    await this.#client.connect();
    await this.#hello(this.#client);
    await this.#client.business('live').join(DEMO_ROOM);
  }

  close(): void {
    this.#client.close();
    this.#next?.close();
  }

  #createClient(choice: Choice): TrunklineClient {
    const { deviceId, controlUrl, assertion, ca } = this.#options;
    const all = nodeTransports(ca);
    const client = createClient({
      bootstrapUrl: controlUrl,
      app: DEMO_APP,
      deviceId,
      assertion,
      transports: choice === 'race' ? all : { [choice]: all[choice] },
    });
    const im = client.business('im');
    im.onPush((push) => this.#onMessage(client, push));
    im.onRequest('switch', (request) => this.#onSwitch(request.text()));
    client.business('live').onPush((push) => this.#onRoom(push));
    // Also back after a cut or a restart: on the roster again.
    client.on('online', ({ protocol, why, losers }) => {
      this.#wayIn = { choice, protocol, why, losers };
      void this.#hello(client).catch(() => {});
    });
    return client;
  }

  async #hello(client: TrunklineClient): Promise<void> {
    const hello = { name: this.#options.deviceId, wayIn: this.#wayIn };
    await client.business('im').request('hello', JSON.stringify(hello));
  }

  #onSwitch(choice: string): ServedReply {
    if (!isChoice(choice)) return refusal(Status.invalidArgument, 'no such protocol');
    if (choice !== 'race' && !this.#options.protocols.includes(choice)) {
      return refusal(Status.failedPrecondition, `the demo's node does not speak ${choice}`);
    }
    if (this.#next !== undefined) return refusal(Status.failedPrecondition, 'it is switching already');
    const next = this.#createClient(choice);
    this.#next = next;
    // The answer first: it travels on the connection that the new one is about to end.
    setImmediate(() => void this.#switchTo(next));
    return {};
  }

  async #switchTo(next: TrunklineClient): Promise<void> {
    const timer = setTimeout(() => next.close(), SWITCH_LIMIT_MS);
    try {
      await next.connect();
      this.#client.close();
      this.#client = next;
    } catch {
      // Not online by then: the former one still is.
      next.close();
      return;
    } finally {
      clearTimeout(timer);
      this.#next = undefined;
    }
    await next
      .business('live')
      .join(DEMO_ROOM)
      .catch(() => {});
  }

  #onMessage(client: TrunklineClient, push: Push): void {
    const { kind } = push.metadata;
    if (kind === 'roster') return;
    if (kind !== 'message') return this.#options.onPush(`im: ${push.text()}`);
    const { from, fromDevice, text } = push.json() as { from: string; fromDevice: string; text: string };
    this.#options.onPush(`im: ${text} (from ${from})`);
    if (fromDevice.startsWith(DEMO_DEVICE_PREFIX)) return;
    setTimeout(() => this.#reply(client, fromDevice, text), REPLY_AFTER_MS).unref();
  }

  #reply(client: TrunklineClient, to: string, text: string): void {
    const { deviceId } = this.#options;
    const words = `This is ${deviceId}, a Node client online over ${this.#wayIn?.protocol}. I read: ${text.slice(0, 200)}`;
    // Whoever wrote may be gone by now.
    client
      .business('im')
      .request('send', JSON.stringify({ to, text: words }))
      .catch(() => {});
  }

  #onRoom(push: Push): void {
    if (push.metadata['kind'] === 'comment') return;
    this.#options.onPush(`live: ${push.text()} (${push.group} #${push.offset})`);
  }
}

function refusal(status: Status, reason: string): ServedReply {
  return { status, payload: reason };
}
