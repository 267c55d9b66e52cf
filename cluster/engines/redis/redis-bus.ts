/**
 * The bus on Redis's sharded Pub/Sub: a channel for each node and one for each group that somebody listens to. Redis
 * tells how many connections a message was handed to, and keeps nothing: what is lost between a server and a
 * subscriber whose connection breaks, or that reads too slowly, is lost, and its sender is not told.
 *
 * On a Cluster the count is of the server that owns the slot; nodes subscribe there and not at its replicas.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, type BusHandlers, EngineUnavailableError, type PublishedMulticast } from '../../../actors/index.js';
import type { Channels } from './channels.js';
import type { Keys } from './keys.js';
import { Lanes } from './lanes.js';
import { multicastScript } from './lua/groups.js';
import { packItems, unpackItems } from './packing.js';
import type { RedisConnection } from './redis-connection.js';

/** Handed to the bus and not answered yet. At the limit it takes no more. */
const MAX_PENDING_BYTES = 32 * 1024 * 1024;
/** Before a message that nobody took is offered once more: as long as subscribing anew takes after a slot has moved. */
const RETRY_PAUSE_MS = 100;
const OFFSET_BYTES = 8;

export interface RedisBusOptions {
  readonly maxPendingBytes?: number;
}

export class RedisBus implements Bus {
  readonly #connection: RedisConnection;
  readonly #channels: Channels;
  readonly #keys: Keys;
  readonly #maxPendingBytes: number;
  readonly #messages = new Lanes<boolean>((channel, items) => this.#publish(channel, items));
  readonly #multicasts = new Lanes<PublishedMulticast | undefined>((key, items) => this.#number(key, items));
  #handlers: BusHandlers | undefined;
  #pendingBytes = 0;

  constructor(connection: RedisConnection, channels: Channels, keys: Keys, options: RedisBusOptions = {}) {
    this.#connection = connection;
    this.#channels = channels;
    this.#keys = keys;
    this.#maxPendingBytes = options.maxPendingBytes ?? MAX_PENDING_BYTES;
  }

  open(incarnation: string, handlers: BusHandlers): Promise<void> {
    this.#handlers = handlers;
    return this.#channels.subscribe(this.#keys.node(incarnation), (packed) => {
      for (const bytes of unpackItems(packed)) handlers.onMessage(bytes);
    });
  }

  send(incarnation: string, bytes: Uint8Array): Promise<boolean> {
    return this.#bounded(bytes, () => this.#messages.add(this.#keys.node(incarnation), bytes));
  }

  listen(businessId: number, group: string): Promise<void> {
    return this.#channels.subscribe(this.#keys.group(businessId, group), (message) => {
      if (message.length < OFFSET_BYTES) return;
      const first = message.readDoubleBE(0);
      unpackItems(message.subarray(OFFSET_BYTES)).forEach((body, i) => {
        this.#handlers?.onMulticast({ businessId, group, offset: first + i, body });
      });
    });
  }

  unlisten(businessId: number, group: string): Promise<void> {
    return this.#channels.unsubscribe(this.#keys.group(businessId, group));
  }

  multicast(businessId: number, group: string, body: Uint8Array): Promise<PublishedMulticast | undefined> {
    return this.#bounded(body, () => this.#multicasts.add(this.#keys.group(businessId, group), body));
  }

  async #publish(channel: string, items: readonly Uint8Array[]): Promise<boolean[]> {
    const packed = packItems(items);
    let receivers = await this.#connection.call('spublish', channel, packed);
    if (receivers === 0) {
      await sleep(RETRY_PAUSE_MS);
      receivers = await this.#connection.call('spublish', channel, packed);
    }
    return items.map(() => receivers !== 0);
  }

  async #number(key: string, items: readonly Uint8Array[]): Promise<(PublishedMulticast | undefined)[]> {
    const reply = await this.#connection.run(multicastScript, [key], [items.length, packItems(items)]);
    if (reply === null) return items.map(() => undefined);
    const [first, receivers] = reply as readonly [number, number];
    return items.map((_, i) => ({ offset: first + i, receivers }));
  }

  async #bounded<Outcome>({ length }: Uint8Array, hand: () => Promise<Outcome>): Promise<Outcome> {
    if (this.#pendingBytes >= this.#maxPendingBytes) throw new EngineUnavailableError(false);
    this.#pendingBytes += length;
    try {
      return await hand();
    } finally {
      this.#pendingBytes -= length;
    }
  }
}
