/**
 * What won on which network, over restarts. Only what beat the control layer's first choice is kept, and for a time
 * that doubles each time it beats it again: so the better way is tried again, seldom where it stays closed.
 */
import type { Target } from '../bootstrap.js';
import { StoredMap, type WebStorageLike } from '../storage.js';

export interface Remembered extends Target {
  /** Protocol of the control layer's first choice, which was beaten; another first choice gets its chance. */
  readonly over: Target['protocol'];
  readonly untilMs: number;
  /** How long it was to be remembered. */
  readonly forMs: number;
}

const KEY = 'trunkline.networks';
const FIRST_MS = 600_000;
const MAX_MS = 86_400_000;

export class NetworkMemory {
  readonly #networks: StoredMap<Remembered>;

  constructor(storage: WebStorageLike) {
    this.#networks = new StoredMap(storage, KEY);
  }

  /** @returns also what is out of date; undefined when nothing is known or readable */
  get(network: string): Remembered | undefined {
    return this.#networks.get(network);
  }

  /** @param target what beat `over`; undefined when the control layer's first choice won */
  set(network: string, target: Target | undefined, over: Target['protocol'], nowMs: number): void {
    const earlier = this.#networks.get(network);
    if (target === undefined) {
      if (earlier !== undefined) this.#networks.set(network, undefined);
      return;
    }
    const isAgain = earlier?.over === over && earlier.protocol === target.protocol;
    const forMs = (isAgain && Math.min(MAX_MS, earlier.forMs * 2)) || FIRST_MS;
    const { protocol, accessPoint } = target;
    this.#networks.set(network, { protocol, accessPoint, over, forMs, untilMs: nowMs + forMs });
  }
}
