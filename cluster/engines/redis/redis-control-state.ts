/** What operators set, of a service of many nodes: one hash, and a channel on which each change is announced. */
import { type ControlState, ControlStateFullError, MAX_CONTROL_TEXTS } from '../contract/index.js';
import type { Channels } from './channels.js';
import type { Keys } from './keys.js';
import { readControlScript, writeControlScript } from './lua/control.js';
import type { RedisConnection } from './redis-connection.js';

export class RedisControlState implements ControlState {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #listeners = new Set<() => void>();

  private constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Resolves when it hears of changes. */
  static async open(connection: RedisConnection, channels: Channels, keys: Keys): Promise<RedisControlState> {
    const state = new RedisControlState(connection, keys);
    await channels.subscribe(keys.controlChanges(), () => state.#changed());
    // What was announced meanwhile has not been heard.
    connection.onReady(() => state.#changed());
    return state;
  }

  async read(): Promise<ReadonlyMap<string, string>> {
    const reply = (await this.#connection.run(readControlScript, [this.#keys.control()], [])) as Buffer[];
    const texts = new Map<string, string>();
    for (let i = 0; i + 1 < reply.length; i += 2) texts.set(String(reply[i]), String(reply[i + 1]));
    return texts;
  }

  async write(name: string, text: string | undefined): Promise<void> {
    const keys = [this.#keys.control(), this.#keys.controlChanges()];
    const args = [name, text === undefined ? '-' : '+', text ?? '', MAX_CONTROL_TEXTS];
    const isKept = await this.#connection.run(writeControlScript, keys, args);
    if (Number(isKept) === 0) throw new ControlStateFullError(MAX_CONTROL_TEXTS);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
