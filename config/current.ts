/**
 * The configuration in force. Whoever needs a setting asks here when it needs it, so that a reload is one assignment
 * and nobody holds an old copy; what is costly to make from it (a keyring, a directory of apps) is derived once per
 * configuration, at its first use.
 */
import type { NodeConfig } from './schema.js';

export class CurrentConfig {
  #value: NodeConfig;
  /** How many configurations came before. */
  #generation = 0;
  #sinceMs = Date.now();

  constructor(value: NodeConfig) {
    this.#value = value;
  }

  get value(): NodeConfig {
    return this.#value;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Milliseconds since the Unix epoch. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  replace(value: NodeConfig): void {
    this.#value = value;
    this.#generation += 1;
    this.#sinceMs = Date.now();
  }

  /** @returns asks for what `make` makes of the configuration in force; made again only after a reload */
  derive<T>(make: (config: NodeConfig) => T): () => T {
    let madeFrom: NodeConfig | undefined;
    let made: T;
    return () => {
      if (madeFrom !== this.#value) {
        made = make(this.#value);
        madeFrom = this.#value;
      }
      return made;
    };
  }
}
