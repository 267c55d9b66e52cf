/**
 * What a client can be told, merged with defaults and checked once. Everything that touches the world (fetch,
 * randomness, time, storage, transports) is a port, so that the core runs anywhere and tests decide what happens.
 */
import type { StringMap } from '../protocol/index.js';
import { checkMap } from './arguments.js';
import { type Bootstrap, type Credentials, checkBootstrap } from './bootstrap.js';
import { type Clock, systemClock } from './clock.js';
import { type InvalidArgumentError, InvalidOptionError } from './errors.js';
import { httpBootstrap } from './http-bootstrap.js';
import type { HeartbeatMemory } from './pulse/pulse.js';
import { NetworkMemory } from './racing/network-memory.js';
import { type IdentityStorage, memoryStorage, StoredMap, type WebStorageLike, webMemory } from './storage.js';
import type { Connectors } from './transports/connector.js';

export const SDK_VERSION = '0.1.0';

/** Key in the memory: milliseconds by network. */
const HEARTBEATS = 'trunkline.heartbeats';

export const DEFAULT_REQUEST_DEADLINE_MS = 10_000;
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
export const DEFAULT_MAX_QUEUED_REQUESTS = 1_000;

export interface TrunklineClientOptions {
  /** The control layer's public address, such as `http://127.0.0.1:7200`. Needed unless `credentials` is given. */
  readonly bootstrapUrl?: string | undefined;
  /** The app this device belongs to. Needed unless `credentials` is given. */
  readonly app?: string | undefined;
  /** A chosen id takes a `deviceSecret` or an `assertion`; minted by the control layer when absent. */
  readonly deviceId?: string | undefined;
  readonly deviceSecret?: string | undefined;
  /** Fetches a statement, signed by the app's back-end, of who this device is. */
  readonly assertion?: (() => Promise<string>) | undefined;
  /** Told to the control layer and at CONNECT: `platform`, `app-version`, `network`... */
  readonly attributes?: StringMap | undefined;
  /** How to open links, per protocol. */
  readonly transports: Connectors;
  /** Keeps a minted identity; in memory by default. */
  readonly storage?: IdentityStorage | undefined;
  /** Replaces the HTTP bootstrap, for tokens that the application's own back-end hands out. */
  readonly credentials?: (() => Promise<Bootstrap>) | undefined;
  /** Deadline of a request that names none. Default 10 s. */
  readonly requestDeadlineMs?: number | undefined;
  /** From dialling one access point to its CONNACK. Default 10 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** Requests that may wait to be sent, offline or beyond the server's limit. Default 1,000. */
  readonly maxQueuedRequests?: number | undefined;
  /**
   * Whether the heartbeat adapts to the network, within the bounds of the control layer. Default true; `false` keeps
   * to the server's interval.
   */
  readonly adaptiveHeartbeat?: boolean | undefined;
  /** Whether the client reports what it measures, when the control layer asks it to. Default true. */
  readonly measurements?: boolean | undefined;
  /** Subscribes to hints that the network is back (a browser's `online` event). @returns unsubscribes */
  readonly networkHints?: ((onHint: () => void) => () => void) | undefined;
  /** `false`: one access point at a time, each until it fails. Default true, at the pace the control layer sets. */
  readonly racing?: boolean | undefined;
  /**
   * Keeps what won on which network, and the heartbeat that held there; in memory by default. `false`: every attempt
   * starts in the control layer's order.
   */
  readonly memory?: WebStorageLike | false | undefined;
  /** Names the network the device is in, as far as the platform tells; the attribute `network` is added to it. */
  readonly networkName?: (() => string) | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** A number in [0, 1). */
  readonly random?: (() => number) | undefined;
  readonly clock?: Clock | undefined;
}

export interface ResolvedOptions {
  readonly attributes: StringMap;
  readonly transports: Connectors;
  readonly credentials: () => Promise<Credentials>;
  readonly requestDeadlineMs: number;
  readonly connectTimeoutMs: number;
  readonly maxQueuedRequests: number;
  /** Undefined: the heartbeat is the server's. */
  readonly heartbeatMemory: HeartbeatMemory | undefined;
  readonly isReporting: boolean;
  readonly networkHints: (onHint: () => void) => () => void;
  readonly racing: boolean;
  readonly memory: NetworkMemory | undefined;
  /** The network the device is in, now. */
  readonly network: () => string;
  readonly random: () => number;
  readonly clock: Clock;
}

/** @throws {InvalidOptionError} names the field */
export function resolveOptions(options: TrunklineClientOptions): ResolvedOptions {
  const attributes = { 'sdk-version': SDK_VERSION, ...options.attributes };
  checkAttributes(attributes);
  if (Object.keys(options.transports).length === 0)
    throw new InvalidOptionError('transports', 'must name at least one');
  return Object.freeze({
    attributes,
    transports: options.transports,
    credentials: credentialsOf(options, attributes),
    requestDeadlineMs: whole('requestDeadlineMs', options.requestDeadlineMs ?? DEFAULT_REQUEST_DEADLINE_MS),
    connectTimeoutMs: whole('connectTimeoutMs', options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS),
    maxQueuedRequests: whole('maxQueuedRequests', options.maxQueuedRequests ?? DEFAULT_MAX_QUEUED_REQUESTS),
    heartbeatMemory:
      options.adaptiveHeartbeat === false
        ? undefined
        : new StoredMap<number>(options.memory || webMemory(), HEARTBEATS),
    isReporting: options.measurements !== false,
    networkHints: options.networkHints ?? (() => () => {}),
    racing: options.racing ?? true,
    memory: options.memory === false ? undefined : new NetworkMemory(options.memory ?? webMemory()),
    network: () => `${options.attributes?.['network'] ?? ''} ${options.networkName?.() ?? ''}`.trim(),
    random: options.random ?? Math.random,
    clock: options.clock ?? systemClock,
  });
}

function credentialsOf(options: TrunklineClientOptions, attributes: StringMap): () => Promise<Credentials> {
  const { bootstrapUrl, app, deviceId, deviceSecret, credentials } = options;
  if (credentials !== undefined) return async () => checkBootstrap(await credentials());
  if (bootstrapUrl === undefined || !/^https?:\/\//.test(bootstrapUrl)) {
    throw new InvalidOptionError('bootstrapUrl', 'must be an http or https URL, unless `credentials` is given');
  }
  if (!app) throw new InvalidOptionError('app', 'must be given, unless `credentials` is');
  return httpBootstrap({
    url: bootstrapUrl,
    app,
    identity: deviceId === undefined ? undefined : { deviceId, deviceSecret },
    storage: options.storage ?? memoryStorage(),
    assertion: options.assertion,
    attributes,
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  });
}

function checkAttributes(attributes: StringMap): void {
  try {
    checkMap('attributes', attributes);
  } catch (error) {
    throw new InvalidOptionError('attributes', (error as InvalidArgumentError).problem);
  }
}

function whole(field: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidOptionError(field, 'must be a whole number above 0');
  return value;
}
