/**
 * Tokens verified a moment ago, least recently used first out. A reconnect storm repeats tokens, and this answers
 * in a microsecond or two what a signature takes ninety for. An entry with its claims takes about 230 bytes.
 *
 * Keys are SHA-256 digests as one-byte strings: 48 bytes each instead of the token's 400, and whoever can read
 * this memory finds no token in it. A `Map` keeps insertion order, so taking an entry out and in again is the LRU.
 */
import { hash } from 'node:crypto';
import type { DeviceClaims } from './claims.js';

export class TokenCache {
  readonly #entries = new Map<string, DeviceClaims>();
  readonly #maxEntries: number;

  /** @param maxEntries 0 keeps nothing */
  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The key under which a token is kept. */
  static key(token: string): string {
    return hash('sha256', token, 'binary');
  }

  /** What the token said; its expiry is the caller's to check. */
  get(key: string): DeviceClaims | undefined {
    const claims = this.#entries.get(key);
    if (claims === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, claims);
    return claims;
  }

  set(key: string, claims: DeviceClaims): void {
    if (this.#maxEntries === 0) return;
    if (this.#entries.size >= this.#maxEntries) this.#dropOldest();
    this.#entries.set(key, claims);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  #dropOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }
}
