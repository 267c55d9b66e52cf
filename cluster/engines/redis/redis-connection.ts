/**
 * One node's connections to Redis, be it one server, a primary behind Sentinels or a Cluster: one client for
 * commands, one for channels. A command goes straight to the client of the server that owns its key, because only so
 * is it known whether it was written at all when the connection breaks; what a moved slot refuses is sent on once.
 *
 * All that is said to one server within a turn leaves in one write. Nothing waits for a connection that is away: it
 * rejects, and the connection is tried again for ever.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { EngineUnavailableError } from '../../../actors/index.js';
import type { RedisConfig } from '../../../config/index.js';
import { engineError, isUnknownScript, plainError, SlotMovedError } from './errors.js';
import { backoffMs, createClient, keepTrying } from './redis-options.js';
import { assertSuitable } from './redis-version.js';
import { definedScripts, type Script } from './script.js';
import { ShardSubscriber } from './shard-subscriber.js';
import { slotOf } from './slot.js';

/** Between two looks whether the first connection is there. */
const POLL_MS = 10;

export type CommandArgument = string | number | Buffer;

/** Items whose keys one server owns, and the way to it. */
export interface ServerGroup<T> {
  readonly client: Redis;
  readonly items: T[];
}

export class RedisConnection {
  readonly isCluster: boolean;
  /** For what is plain; its errors are the client's own, see `call`. */
  readonly commands: Redis | Cluster;
  /** Told of each message to a channel that is subscribed to. */
  onMessage: (channel: string, message: Buffer) => void = () => {};
  readonly #cluster: Cluster | undefined;
  readonly #subscriber: ShardSubscriber;
  readonly #corked = new Set<Redis['stream']>();
  readonly #ready: (() => void)[] = [];
  readonly #lost: (() => void)[] = [];
  #lastError: unknown;
  #isUp = false;
  #refreshes = 0;
  #refreshTimer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(config: RedisConfig) {
    this.commands = createClient(config);
    this.isCluster = this.commands.isCluster;
    this.#cluster = this.commands.isCluster ? (this.commands as Cluster) : undefined;
    this.#subscriber = new ShardSubscriber({
      config,
      ownerOf: (channel) => this.#addressOf(channel),
      onMessage: (channel, message) => this.onMessage(channel, message),
      onMoved: () => this.#refreshSoon(),
    });
    this.#watch();
  }

  /**
   * @throws {EngineUnavailableError} no connection within `connectTimeoutMs`
   * @throws {UnsuitableRedisError} older than 7.0, or not what `mode` says
   */
  static async open(config: RedisConfig): Promise<RedisConnection> {
    const connection = new RedisConnection(config);
    try {
      await connection.#connect(config.connectTimeoutMs);
      await Promise.all(connection.#servers().map((client) => assertSuitable(client, config.mode)));
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Told whenever the connection for commands has come back. */
  onReady(listener: () => void): void {
    this.#ready.push(listener);
  }

  /** Told whenever the connection for commands is away. */
  onLost(listener: () => void): void {
    this.#lost.push(listener);
  }

  /**
   * Runs a script on the server that owns the first key. Replies hold Buffers where Redis has strings.
   *
   * @param keys at least one, all of one slot
   * @throws {EngineUnavailableError}
   */
  async run(script: Script, keys: readonly string[], args: readonly CommandArgument[]): Promise<unknown> {
    const key = keys[0] as string;
    try {
      return await this.runOn(this.#ownerOf(slotOf(key)), script, keys, args);
    } catch (error) {
      if (!(error instanceof SlotMovedError)) throw error;
      return this.#follow('eval', [script.lua, keys.length, ...keys, ...args]);
    }
  }

  /**
   * Runs a script on one server. On a Cluster it may touch several slots that this server owns, so long as it
   * declares one key.
   *
   * @throws {SlotMovedError} nothing was done, since the server does not own a key; the slots are being read again
   * @throws {EngineUnavailableError}
   */
  async runOn(
    client: Redis,
    script: Script,
    keys: readonly string[],
    args: readonly CommandArgument[],
  ): Promise<unknown> {
    try {
      return await this.#send(client, 'evalsha', [script.sha, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!isUnknownScript(error)) throw this.#told(error);
    }
    try {
      return await this.#send(client, 'eval', [script.lua, keys.length, ...keys, ...args]);
    } catch (error) {
      throw this.#told(error);
    }
  }

  /**
   * One command to the server that owns `key`, which is its first argument.
   *
   * @throws {EngineUnavailableError}
   */
  async call(command: string, key: string, ...args: readonly CommandArgument[]): Promise<unknown> {
    try {
      return await this.#send(this.#ownerOf(slotOf(key)), command, [key, ...args]);
    } catch (error) {
      const told = this.#told(error);
      if (!(told instanceof SlotMovedError)) throw told;
      return this.#follow(command, [key, ...args]);
    }
  }

  /**
   * The servers that own the items' slots.
   *
   * @throws {EngineUnavailableError} one of them is away
   */
  groupByNode<T>(items: readonly T[], slotOf: (item: T) => number): ServerGroup<T>[] {
    if (items.length === 0) return [];
    if (this.#cluster === undefined) return [{ client: this.commands as Redis, items: [...items] }];
    const groups = new Map<string, ServerGroup<T>>();
    for (const item of items) {
      const slot = slotOf(item);
      const address = this.#cluster.slots[slot]?.[0] ?? '';
      const group = groups.get(address);
      if (group === undefined) groups.set(address, { client: this.#ownerOf(slot), items: [item] });
      else group.items.push(item);
    }
    return [...groups.values()];
  }

  /** When it resolves, messages to the channel arrive; from then on a lost subscription is made again. */
  subscribe(channel: string): Promise<void> {
    return this.#subscriber.subscribe(channel);
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#subscriber.unsubscribe(channel);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#refreshTimer);
    this.#subscriber.close();
    this.commands.disconnect();
  }

  #watch(): void {
    this.commands.on('error', (error) => this.#keep(error));
    this.commands.on('ready', () => this.#became(true));
    this.commands.on('close', () => this.#became(false));
    if (this.#cluster === undefined) {
      const client = this.commands as Redis;
      client.on('ready', () => this.#loadScripts(client));
      keepTrying(
        client,
        () => !this.#closed,
        (error) => this.#keep(error),
      );
      return;
    }
    this.#cluster.on('node error', (error) => this.#keep(error));
    this.#cluster.on('refresh', () => this.#connectServers());
    this.#cluster.on('-node', () => this.#refreshSoon());
    this.#cluster.on('+node', (client: Redis) => client.on('ready', () => this.#loadScripts(client)));
  }

  /** A connection that is tried again in vain is lost no second time. */
  #became(isUp: boolean): void {
    if (this.#isUp === isUp) return;
    this.#isUp = isUp;
    for (const listener of isUp ? this.#ready : this.#lost) listener();
  }

  async #connect(timeoutMs: number): Promise<void> {
    // Rejects at the first failure, while the client goes on trying: whether it is there is asked below.
    this.commands.connect().catch((error) => this.#keep(error));
    // Counted, not timed: while this process stands still, nobody is late.
    for (let waitedMs = 0; !this.#isReady(); waitedMs += POLL_MS) {
      if (waitedMs > timeoutMs) {
        throw new EngineUnavailableError(false, { cause: plainError(this.#lastError ?? 'no answer') });
      }
      await sleep(POLL_MS);
    }
  }

  #isReady(): boolean {
    if (this.commands.status !== 'ready') return false;
    const servers = this.#servers();
    return servers.length > 0 && servers.every(isWritable);
  }

  /** Whoever owns keys. */
  #servers(): Redis[] {
    return this.#cluster === undefined ? [this.commands as Redis] : this.#cluster.nodes('master');
  }

  #ownerOf(slot: number): Redis {
    if (this.#cluster === undefined) return this.commands as Redis;
    const address = this.#cluster.slots[slot]?.[0];
    const client = this.#cluster.nodes('all').find((node) => addressOf(node) === address);
    if (client !== undefined) return client;
    this.#refreshSoon();
    throw this.#away();
  }

  /** Undefined while nobody owns the channel's slot. */
  #addressOf(channel: string): string | undefined {
    return this.#cluster === undefined ? '' : this.#cluster.slots[slotOf(channel)]?.[0];
  }

  #send(client: Redis, command: string, args: readonly CommandArgument[]): Promise<unknown> {
    if (!isWritable(client)) {
      this.#refreshSoon();
      return Promise.reject(this.#away());
    }
    this.#gather(client.stream);
    return client.callBuffer(command, ...args);
  }

  /** Keeps what a turn says until its end. */
  #gather(stream: Redis['stream']): void {
    if (this.#corked.has(stream)) return;
    if (this.#corked.size === 0) setImmediate(() => this.#flush());
    this.#corked.add(stream);
    stream.cork();
  }

  #flush(): void {
    for (const stream of this.#corked) stream.uncork();
    this.#corked.clear();
  }

  /** What a server has refused because the slot has moved or is moving: the Cluster client follows its directions. */
  async #follow(command: string, args: readonly CommandArgument[]): Promise<unknown> {
    if (this.#cluster === undefined) throw this.#away();
    try {
      return await this.#cluster.callBuffer(command, ...args);
    } catch (error) {
      const told = this.#told(error);
      throw told instanceof SlotMovedError ? new EngineUnavailableError(false, { cause: told }) : told;
    }
  }

  #told(error: unknown): EngineUnavailableError | SlotMovedError {
    const told = engineError(error);
    if (told instanceof SlotMovedError || !told.mayHaveArrived) this.#refreshSoon();
    return told;
  }

  #away(): EngineUnavailableError {
    const cause = this.#lastError === undefined ? undefined : { cause: plainError(this.#lastError) };
    return new EngineUnavailableError(false, cause);
  }

  #keep(error: unknown): void {
    this.#lastError = plainError(error);
  }

  /** Reads a Cluster's slots again until each has an owner that can be reached, with growing pauses. */
  #refreshSoon(): void {
    const cluster = this.#cluster;
    if (cluster === undefined || this.#closed || this.#refreshTimer !== undefined) return;
    this.#refreshTimer = setTimeout(
      () => {
        cluster.refreshSlotsCache(() => {
          this.#refreshTimer = undefined;
          if (this.#isReady()) this.#refreshes = 0;
          else this.#refreshSoon();
        });
      },
      backoffMs(this.#refreshes++),
    );
  }

  /** The Cluster client connects to a server at its first command, and would keep that one waiting. */
  #connectServers(): void {
    for (const client of this.#servers()) {
      if (client.status === 'wait') client.connect().catch((error) => this.#keep(error));
    }
    this.#subscriber.settle();
  }

  #loadScripts(client: Redis): void {
    for (const { lua } of definedScripts()) {
      client.call('script', 'load', lua).catch((error) => this.#keep(error));
    }
  }
}

function isWritable(client: Redis): boolean {
  return client.status === 'ready' && client.stream.writable;
}

function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}
