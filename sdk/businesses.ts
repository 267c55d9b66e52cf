/**
 * The businesses that the application asked for, by name, and those the server granted, by the ids it uses on
 * this connection.
 */
import type { GrantedBusiness } from '../protocol/index.js';
import { ChannelListeners } from './channel-listeners.js';
import { BusinessNotGrantedError } from './errors.js';

export class Businesses {
  readonly #listeners = new Map<string, ChannelListeners>();
  readonly #idByName = new Map<string, number>();
  readonly #nameById = new Map<number, string>();

  /** After a login; takes the place of what was granted before. */
  grant(businesses: readonly GrantedBusiness[]): void {
    this.#idByName.clear();
    this.#nameById.clear();
    for (const { id, name } of businesses) {
      this.#idByName.set(name, id);
      this.#nameById.set(id, name);
    }
  }

  /** @throws {BusinessNotGrantedError} */
  idOf(name: string): number {
    const id = this.#idByName.get(name);
    if (id === undefined) throw new BusinessNotGrantedError(name);
    return id;
  }

  nameOf(id: number): string | undefined {
    return this.#nameById.get(id);
  }

  /** One set of listeners a name, made when first asked for. */
  listenersOf(name: string): ChannelListeners {
    const listeners = this.#listeners.get(name) ?? new ChannelListeners();
    this.#listeners.set(name, listeners);
    return listeners;
  }
}
