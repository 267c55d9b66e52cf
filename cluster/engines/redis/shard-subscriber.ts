/**
 * Sharded channels: which are wanted, and at which server each is subscribed to. The wanted ones are settled again
 * whenever a connection comes back or a slot has moved. One client a server, connected at its first channel; the
 * client library's own group of subscribers does not tell when a channel is really subscribed to.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { EngineUnavailableError } from '../../../actors/index.js';
import type { RedisConfig } from '../../../config/index.js';
import { plainError } from './errors.js';
import { createServerClient, keepTrying, parseAddress } from './redis-options.js';

export interface ShardSubscriberOptions {
  readonly config: RedisConfig;
  /** Address of the server that owns a channel's slot; empty when there is only one; undefined while nobody does. */
  readonly ownerOf: (channel: string) => string | undefined;
  readonly onMessage: (channel: string, message: Buffer) => void;
  /** A server does not own a channel's slot any more, or cannot be reached. */
  readonly onMoved: () => void;
}

interface Wanted {
  /** Where it is subscribed to. */
  at: Redis | undefined;
  /** Where it is being subscribed to, so that no second wish goes out. */
  asking: Redis | undefined;
  waiting: (() => void)[];
}

export class ShardSubscriber {
  readonly #options: ShardSubscriberOptions;
  readonly #timeoutMs: number;
  readonly #wanted = new Map<string, Wanted>();
  /** By the server's address. */
  readonly #clients = new Map<string, Redis>();
  readonly #wasReady = new WeakSet<Redis>();
  readonly #pings: NodeJS.Timeout;
  #lastError: Error | undefined;
  #refusals = 0;
  #closed = false;

  constructor(options: ShardSubscriberOptions) {
    this.#options = options;
    this.#timeoutMs = options.config.commandTimeoutMs;
    // A subscriber is owed nothing, so silence tells nothing: a ping is what finds out that a server is gone.
    this.#pings = setInterval(() => this.#check(), this.#timeoutMs);
    this.#pings.unref();
  }

  async subscribe(channel: string): Promise<void> {
    if (this.#closed) throw new EngineUnavailableError(false);
    const known = this.#wanted.get(channel);
    if (known?.at !== undefined) return;
    const wanted = known ?? { at: undefined, asking: undefined, waiting: [] };
    if (known === undefined) this.#wanted.set(channel, wanted);
    const settled = new Promise<void>((resolve) => wanted.waiting.push(resolve));
    this.#settle(channel, wanted);
    const timeout = new AbortController();
    const isSettled = await Promise.race([
      settled.then(() => true),
      sleep(this.#patienceMs(channel), false, { signal: timeout.signal }).catch(() => false),
    ]);
    timeout.abort();
    if (isSettled) return;
    if (known === undefined && this.#wanted.get(channel) === wanted) void this.unsubscribe(channel);
    throw new EngineUnavailableError(true, this.#lastError === undefined ? undefined : { cause: this.#lastError });
  }

  async unsubscribe(channel: string): Promise<void> {
    const wanted = this.#wanted.get(channel);
    if (wanted === undefined) return;
    this.#wanted.delete(channel);
    const client = wanted.at ?? wanted.asking;
    if (client?.status !== 'ready') return;
    // A connection that breaks over it has unsubscribed as well.
    await client.sunsubscribe(channel).catch((error) => this.#keep(error));
  }

  /** To be called when slots may have moved. */
  settle(): void {
    if (this.#closed) return;
    for (const [channel, wanted] of this.#wanted) this.#settle(channel, wanted);
    this.#dropIdle();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#pings);
    for (const client of this.#clients.values()) client.disconnect();
    this.#clients.clear();
    this.#wanted.clear();
  }

  /** The first connection to a server may take longer than a command. */
  #patienceMs(channel: string): number {
    const client = this.#clients.get(this.#options.ownerOf(channel) ?? '');
    const isFirst = client !== undefined && !this.#wasReady.has(client);
    return isFirst ? this.#options.config.connectTimeoutMs : this.#timeoutMs;
  }

  #settle(channel: string, wanted: Wanted): void {
    const address = this.#options.ownerOf(channel);
    if (address === undefined) return this.#options.onMoved();
    const client = this.#client(address);
    if (wanted.at === client || wanted.asking === client || client.status !== 'ready') return;
    wanted.asking = client;
    client.ssubscribe(channel).then(
      () => this.#subscribed(wanted, client),
      (error) => this.#refused(wanted, client, error),
    );
  }

  #subscribed(wanted: Wanted, client: Redis): void {
    if (wanted.asking !== client) return;
    wanted.asking = undefined;
    wanted.at = client;
    for (const resolve of wanted.waiting.splice(0)) resolve();
  }

  #refused(wanted: Wanted, client: Redis, error: unknown): void {
    this.#keep(error);
    this.#refusals += 1;
    if (wanted.asking === client) wanted.asking = undefined;
    this.#options.onMoved();
  }

  #client(address: string): Redis {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const { config } = this.#options;
    const client = createServerClient(config, parseAddress(address === '' ? (config.addresses[0] as string) : address));
    this.#clients.set(address, client);
    client.on('error', (error) => this.#keep(error));
    client.on('ready', () => {
      this.#wasReady.add(client);
      this.settle();
    });
    client.on('close', () => this.#lost(client));
    keepTrying(
      client,
      () => !this.#closed && this.#clients.get(address) === client,
      (error) => this.#keep(error),
    );
    client.on('moved', () => this.#lost(client));
    client.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
      const name = channel.toString();
      if (this.#wanted.has(name)) this.#options.onMessage(name, message);
    });
    client.connect().catch((error) => this.#keep(error));
    return client;
  }

  /** Its subscriptions are gone, or some of them; a subscription made twice is one. */
  #lost(client: Redis): void {
    for (const wanted of this.#wanted.values()) {
      if (wanted.at === client) wanted.at = undefined;
      if (wanted.asking === client) wanted.asking = undefined;
    }
    if (!this.#closed) this.#options.onMoved();
  }

  /** Servers without a channel of ours need no connection: some of them are gone for good. */
  #dropIdle(): void {
    const needed = new Set([...this.#wanted.keys()].map((channel) => this.#options.ownerOf(channel)));
    for (const [address, client] of this.#clients) {
      if (address === '' || needed.has(address)) continue;
      this.#clients.delete(address);
      client.disconnect();
    }
  }

  #check(): void {
    if (this.#refusals > 0) {
      this.#refusals = 0;
      this.settle();
    }
    for (const client of this.#clients.values()) {
      if (client.status === 'ready') client.ping().catch((error) => this.#keep(error));
    }
  }

  #keep(error: unknown): void {
    this.#lastError = plainError(error);
  }
}
