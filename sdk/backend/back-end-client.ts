/**
 * The bridge as methods, for a business's back-end (with the business's key) or an app's (with the app's key, for
 * `issueToken` and `closeConnection`).
 *
 * Every method throws BridgeError when the bridge refuses and BridgeUnreachableError when no answer comes.
 */
import { InvalidOptionError } from '../errors.js';
import type { PayloadInput } from '../message.js';
import type {
  BatchAnswer,
  BroadcastAnswer,
  BulkResult,
  CallAnswer,
  GroupInfo,
  GroupPage,
  IssuedToken,
  MembershipAnswer,
  MulticastAnswer,
  PresenceAnswer,
  UnicastAnswer,
  UserAnswer,
  UserPresenceAnswer,
} from './answers.js';
import { BridgeHttp } from './bridge-http.js';
import { type BulkPush, pushBulk } from './bulk.js';
import { BridgeError } from './errors.js';
import { payloadForm } from './payload-form.js';

export const DEFAULT_CONNECTIONS = 16;
export const DEFAULT_TIMEOUT_MS = 10_000;
export const DEFAULT_CALL_DEADLINE_MS = 10_000;
/** A broadcast answers when its last outcome is known. */
const BROADCAST_TIMEOUT_MS = 600_000;

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
  /** Removed, and answered `expired`, when it still waits after so long. */
  readonly ttlMs?: number;
  /** `high` goes before what waits with `normal`, the default. */
  readonly priority?: 'high' | 'normal';
  /** The first to go when a queue fills or the node is overloaded. */
  readonly droppable?: boolean;
}

export interface AppChoice {
  /** Instead of the client's `app`. */
  readonly app?: string;
}

export interface PushOptions {
  /** The same key with the same push is made once, for ten minutes: to ask again after BridgeUnreachableError. */
  readonly idempotencyKey?: string;
}

export interface DeviceCall {
  readonly method: string;
  readonly payload?: PayloadInput;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Up to a minute; 10 s by default. */
  readonly deadlineMs?: number;
  /** Gives up; the device is told. */
  readonly signal?: AbortSignal;
}

export interface PageOptions {
  /** `next` of the page before. */
  readonly after?: string;
  /** 1 to 1,000; 100 by default. */
  readonly limit?: number;
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

interface ReceivedPayload {
  readonly payload?: string;
  readonly payloadBase64?: string;
}

/** One token; a device's tokens up to now or `beforeMs`; the device itself; or all that the app was issued. */
export type RevocationTarget = AppChoice &
  (
    | { readonly jti: string }
    | { readonly deviceId: string; readonly beforeMs?: number }
    | { readonly deviceId: string; readonly identity: true }
    | { readonly beforeMs: number }
  );

export class BackEndClient {
  readonly #http: BridgeHttp;
  readonly #app: string | undefined;
  readonly #timeoutMs: number;

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
    this.#timeoutMs = timeoutMs;
  }

  async pushToDevice(device: string, message: PushMessage, options?: AppChoice & PushOptions): Promise<UnicastAnswer> {
    return this.#push(['apps', this.#appOf(options), 'devices', device, 'push'], bodyOf(message), options);
  }

  /** @param devices at most 1,000; each gets a result, in this order */
  async pushToDevices(
    devices: readonly string[],
    message: PushMessage,
    options?: AppChoice & PushOptions,
  ): Promise<BatchAnswer> {
    return this.#push(['apps', this.#appOf(options), 'push'], { devices, ...bodyOf(message) }, options);
  }

  /** To every device that the user is online with. */
  async pushToUser(uid: string, message: PushMessage, options?: AppChoice & PushOptions): Promise<UserAnswer> {
    return this.#push(['apps', this.#appOf(options), 'users', uid, 'push'], bodyOf(message), options);
  }

  /** To every online device of the app that was granted this business. Takes as long as it takes to reach them all. */
  async broadcast(message: PushMessage, options?: AppChoice & PushOptions): Promise<BroadcastAnswer> {
    const path = ['apps', this.#appOf(options), 'broadcast'];
    return this.#push(path, bodyOf(message), { ...options, timeoutMs: BROADCAST_TIMEOUT_MS });
  }

  /** @throws {BridgeError} `TRK_GROUP_NOT_FOUND` */
  async pushToGroup(group: string, message: PushMessage, options?: PushOptions): Promise<MulticastAnswer> {
    return this.#push(['groups', group, 'push'], bodyOf(message), options);
  }

  /**
   * Any number of pushes over one request, many times faster than one by one. A result comes for each, in this order
   * and while later ones are still being sent; whoever takes no results is asked for no more pushes. To stop, stop
   * taking results.
   *
   * @throws {BridgeError} the whole is refused; what is wrong with one push is that push's result
   * @throws {BridgeUnreachableError} the connection ended; pushes without a result may have been made
   */
  pushBulk(pushes: Iterable<BulkPush> | AsyncIterable<BulkPush>): AsyncIterable<BulkResult> {
    return pushBulk(this.#http, pushes, this.#app);
  }

  /** Asks a device and waits. Whatever the device does or fails to do is a status; away is 14 UNAVAILABLE. */
  async callDevice(device: string, call: DeviceCall, choice?: AppChoice): Promise<CallAnswer> {
    const { method, payload, metadata, deadlineMs = DEFAULT_CALL_DEADLINE_MS, signal } = call;
    const body = { method, metadata, deadlineMs, ...(payload === undefined ? {} : payloadForm(payload)) };
    const path = ['apps', this.#appOf(choice), 'devices', device, 'call'];
    const extras = { body, timeoutMs: deadlineMs + this.#timeoutMs, signal };
    const answer = (await this.#http.send('POST', path, extras)).body as CallAnswer & ReceivedPayload;
    const { payloadBase64, payload: text } = answer as ReceivedPayload;
    const bytes = payloadBase64 === undefined ? Buffer.from(text ?? '') : Buffer.from(payloadBase64, 'base64');
    const { status, statusName, metadata: answered } = answer;
    return { status, statusName, metadata: answered, payload: new Uint8Array(bytes) };
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

  /** One page; hand its `next` to the next call as `after`. */
  async listGroups({ after, limit }: PageOptions = {}): Promise<GroupPage> {
    return (await this.#http.send('GET', ['groups'], { query: { after, limit } })).body as GroupPage;
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

  /** The devices that a user, or each of many (at most 1,000), is online with. */
  presenceOfUser(uid: string, choice?: AppChoice): Promise<UserPresenceAnswer>;
  presenceOfUser(uids: readonly string[], choice?: AppChoice): Promise<readonly UserPresenceAnswer[]>;
  async presenceOfUser(
    uids: string | readonly string[],
    choice?: AppChoice,
  ): Promise<UserPresenceAnswer | readonly UserPresenceAnswer[]> {
    const app = this.#appOf(choice);
    if (typeof uids === 'string') {
      return (await this.#http.send('GET', ['apps', app, 'users', uids])).body as UserPresenceAnswer;
    }
    const path = ['apps', app, 'users', 'presence'];
    return (await this.#post<{ users: UserPresenceAnswer[] }>(path, { users: uids })).users;
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

  /**
   * Takes tokens, or a device, back: in force when it resolves, on live connections as well. Takes the app's key.
   *
   * @returns how many live connections are closed for it
   */
  async revoke({ app, ...target }: RevocationTarget): Promise<number> {
    return (await this.#post<{ closed: number }>(['revocations'], { app: this.#appOf({ app }), ...target })).closed;
  }

  /** Lets a device whose `identity` was revoked have tokens again; takes the app's key. @returns whether it was */
  async liftRevocation(device: string, choice?: AppChoice): Promise<boolean> {
    const path = ['apps', this.#appOf(choice), 'devices', device, 'revocation'];
    return ((await this.#http.send('DELETE', path)).body as { lifted: boolean }).lifted;
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
    return (await this.#http.send('POST', segments, { body })).body as T;
  }

  async #push<T>(
    segments: readonly string[],
    body: unknown,
    { idempotencyKey, timeoutMs }: PushOptions & { readonly timeoutMs?: number } = {},
  ): Promise<T> {
    const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    const extras = { body, headers, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    return (await this.#http.send('POST', segments, extras)).body as T;
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

function bodyOf({ payload, ...options }: PushMessage) {
  return { ...payloadForm(payload), ...options };
}
