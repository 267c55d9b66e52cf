/**
 * The Redis client's options. Nothing is queued while the connection is away and nothing is sent a second time, so
 * that whoever asks learns at once whether it may have happened; the connection itself is tried again for ever.
 */
import { Cluster, Redis } from 'ioredis';
import type { RedisConfig } from '../../../config/index.js';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
const CLIENT_NAME = 'trunkline';

/** Doubled each time up to a ceiling, half of it chance, so that the nodes of a service do not come all at once. */
export function backoffMs(attempt: number): number {
  const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling * (0.5 + Math.random() / 2));
}

/** For commands: not connected yet. */
export function createClient(config: RedisConfig): Redis | Cluster {
  const options = commonOptions(config);
  const addresses = config.addresses.map(parseAddress);
  if (config.mode !== 'cluster') return createServerClient(config, addresses[0] as HostAndPort);
  return new Cluster(addresses, {
    lazyConnect: true,
    enableOfflineQueue: false,
    // It would ask a server that is being connected to, and give up.
    enableReadyCheck: false,
    clusterRetryStrategy: backoffMs,
    // A command whose connection broke may have been done: sending it again is the caller's decision.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: 50,
    maxRedirections: 4,
    slotsRefreshTimeout: config.commandTimeoutMs,
    // Names stay names, as certificates want it; each connection resolves its own.
    dnsLookup: (host, done) => done(null, host),
    redisOptions: options,
  });
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** To one server, for commands or as a subscriber; with Sentinels to whichever is the primary. Not connected yet. */
export function createServerClient(config: RedisConfig, address: HostAndPort): Redis {
  const options = { ...commonOptions(config), enableOfflineQueue: false, retryStrategy: backoffMs, lazyConnect: true };
  if (config.mode !== 'sentinel') return new Redis({ ...options, ...address });
  return new Redis({
    ...options,
    sentinels: config.addresses.map(parseAddress),
    name: config.sentinelName,
    ...(config.sentinelPassword === undefined ? {} : { sentinelPassword: config.sentinelPassword }),
    sentinelRetryStrategy: backoffMs,
    sentinelReconnectStrategy: backoffMs,
    sentinelCommandTimeout: config.commandTimeoutMs,
    // Sentinels tell of a new primary: the old one may be silent instead of closed.
    failoverDetector: true,
    ...(config.tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
  });
}

/**
 * Connects a client anew that has given up: behind Sentinels it does so when it hears of a new primary in the midst of
 * connecting to the old one.
 */
export function keepTrying(client: Redis, isWanted: () => boolean, onError: (error: unknown) => void): void {
  client.on('end', () => {
    setTimeout(() => {
      if (isWanted() && client.status === 'end') client.connect().catch(onError);
    }, backoffMs(0));
  });
}

function commonOptions({ username, password, tls, connectTimeoutMs, commandTimeoutMs }: RedisConfig) {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    connectionName: CLIENT_NAME,
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // A server that owes answers and sends nothing is gone, whatever TCP still hopes.
    socketTimeout: commandTimeoutMs * 2,
    // What was under way when the connection broke ends then and there.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // A server that has become a replica is left for the new primary.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
}

export function parseAddress(address: string): HostAndPort {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}
