/**
 * The bridge as methods, for a business's back-end (with the business's key) or an app's (with the app's key, for
 * `issueToken` and `closeConnection`).
 *
 * Every method throws BridgeError when the bridge refuses and BridgeUnreachableError when no answer comes.
 */
import { InvalidOptionError } from '../errors.js';
import type {
  BatchAnswer,
  GroupInfo,
  IssuedToken,
  MembershipAnswer,
  MulticastAnswer,
  PresenceAnswer,
  UnicastAnswer,
} from './answers.js';
import { BridgeHttp } from './bridge-http.js';
import { BridgeError } from './errors.js';

export const DEFAULT_CONNECTIONS = 16;
export const DEFAULT_TIMEOUT_MS = 10_000;

export interface BackEndClientOptions {
  /** The private listener, such as `http://127.0.0.1:7300`. */
  readonly url: string;
  readonly key: string;
  /** The app whose devices are meant where a call names none. */
  readonly app?: string;
  /** Sockets to the bridge at most. Default 16. */
  readonly connections?: number;
  /** Until a request's whole answer is there. Default 10 s. */
  readonly timeoutMs?: number;
}

export interface PushMessage {
  /** Text goes as UTF-8. */
  readonly payload: string | Uint8Array;
  /** Shown to the device; made by the bridge when absent. */
  readonly messageId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface AppChoice {
  /** Instead of the client's `app`. */
  readonly app?: string;
}

export interface TokenRequest extends AppChoice {
  readonly deviceId: string;
  readonly uid?: string;
  /** All that serve the app when absent. */
  readonly businesses?: readonly string[];
  /** Per business, the groups this device may join; `*` ends a prefix. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly ttlMs?: number;
}

export class BackEndClient {
  readonly #http: BridgeHttp;
  readonly #app: string | undefined;

  /** @throws {InvalidOptionError} names the option */
  constructor(options: BackEndClientOptions) {
    const { url, key, app, connections = DEFAULT_CONNECTIONS, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const bridge = URL.parse(url);
    if (bridge === null || !/^https?:$/.test(bridge.protocol)) {
      throw new InvalidOptionError('url', 'must be an http or https URL');
    }
    if (!key) throw new InvalidOptionError('key', 'must be given');
    this.#http = new BridgeHttp({ url: bridge, key, connections, timeoutMs });
    this.#app = app;
  }

  async pushToDevice(device: string, message: PushMessage, choice?: AppChoice): Promise<UnicastAnswer> {
    return this.#post(['apps', this.#appOf(choice), 'devices', device, 'push'], bodyOf(message));
  }

  /** @param devices at most 1,000; each gets a result, in this order */
  async pushToDevices(devices: readonly string[], message: PushMessage, choice?: AppChoice): Promise<BatchAnswer> {
    return this.#post(['apps', this.#appOf(choice), 'push'], { devices, ...bodyOf(message) });
  }

  /** @throws {BridgeError} `TRK_GROUP_NOT_FOUND` */
  async pushToGroup(group: string, message: PushMessage): Promise<MulticastAnswer> {
    return this.#post(['groups', group, 'push'], bodyOf(message));
  }

  /** @returns whether the group is new */
  async createGroup(group: string): Promise<boolean> {
    return (await this.#http.send('PUT', ['groups', group])).status === 201;
  }

  /** Ends every membership. @returns whether the group existed */
  async dissolveGroup(group: string): Promise<boolean> {
    return (await this.#unlessMissing('DELETE', group)) !== undefined;
  }

  /** @returns undefined when there is no such group */
  async groupInfo(group: string): Promise<GroupInfo | undefined> {
    return (await this.#unlessMissing('GET', group))?.body as GroupInfo | undefined;
  }

  /** Makes devices members that are online now. @throws {BridgeError} `TRK_GROUP_NOT_FOUND` */
  joinGroup(group: string, devices: readonly string[], choice?: AppChoice): Promise<readonly MembershipAnswer[]> {
    return this.#changeMembers('join', group, devices, choice);
  }

  /** Ends memberships; the devices are told. @throws {BridgeError} `TRK_GROUP_NOT_FOUND` */
  leaveGroup(group: string, devices: readonly string[], choice?: AppChoice): Promise<readonly MembershipAnswer[]> {
    return this.#changeMembers('leave', group, devices, choice);
  }

  /** One device, or many (at most 1,000) with their answers in the same order. */
  presence(device: string, choice?: AppChoice): Promise<PresenceAnswer>;
  presence(devices: readonly string[], choice?: AppChoice): Promise<readonly PresenceAnswer[]>;
  async presence(
    devices: string | readonly string[],
    choice?: AppChoice,
  ): Promise<PresenceAnswer | readonly PresenceAnswer[]> {
    const app = this.#appOf(choice);
    if (typeof devices === 'string') {
      return (await this.#http.send('GET', ['apps', app, 'devices', devices])).body as PresenceAnswer;
    }
    return (await this.#post<{ devices: PresenceAnswer[] }>(['apps', app, 'presence'], { devices })).devices;
  }

  /** Withdraws this business from the device's live connection. @returns whether it was granted there */
  async kick(device: string, choice?: AppChoice): Promise<boolean> {
    const path = ['apps', this.#appOf(choice), 'devices', device, 'kick'];
    return (await this.#post<{ kicked: boolean }>(path)).kicked;
  }

  /** Closes the device's connection for every business; takes the app's key. @returns whether there was one */
  async closeConnection(device: string, choice?: AppChoice): Promise<boolean> {
    const path = ['apps', this.#appOf(choice), 'devices', device, 'connection'];
    return ((await this.#http.send('DELETE', path)).body as { disconnected: boolean }).disconnected;
  }

  /** A token for a device of the app; takes the app's key. */
  async issueToken({ app, ...request }: TokenRequest): Promise<IssuedToken> {
    return this.#post(['tokens'], { app: this.#appOf({ app }), ...request });
  }

  /** Lets requests under way end. */
  close(): Promise<void> {
    return this.#http.close();
  }

  async #changeMembers(verb: 'join' | 'leave', group: string, devices: readonly string[], choice?: AppChoice) {
    const body = { app: this.#appOf(choice), devices };
    return (await this.#post<{ results: MembershipAnswer[] }>(['groups', group, verb], body)).results;
  }

  async #post<T>(segments: readonly string[], body?: unknown): Promise<T> {
    return (await this.#http.send('POST', segments, body)).body as T;
  }

  async #unlessMissing(method: 'GET' | 'DELETE', group: string) {
    try {
      return await this.#http.send(method, ['groups', group]);
    } catch (error) {
      if (error instanceof BridgeError && error.code === 'TRK_GROUP_NOT_FOUND') return undefined;
      throw error;
    }
  }

  #appOf(choice: { readonly app?: string | undefined } | undefined): string {
    const app = choice?.app ?? this.#app;
    if (app === undefined) throw new InvalidOptionError('app', 'must be given to the client or to the call');
    return app;
  }
}

function bodyOf({ payload, messageId, metadata }: PushMessage) {
  const form = typeof payload === 'string' ? { payload } : { payloadBase64: Buffer.from(payload).toString('base64') };
  return { ...form, messageId, metadata };
}
