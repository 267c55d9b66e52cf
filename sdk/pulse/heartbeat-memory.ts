/** Where a client keeps the heartbeat that it found to hold, per network: a carrier's timeout is not that of a home. */
import { StoredMap, type WebStorageLike } from '../storage.js';

export interface HeartbeatMemory {
  /** @returns milliseconds; undefined for a network that nothing is known of */
  get(network: string): number | undefined;
  set(network: string, intervalMs: number): void;
}

const KEY = 'trunkline.heartbeats';

export function heartbeatMemory(storage: WebStorageLike): HeartbeatMemory {
  const found = new StoredMap<number>(storage, KEY);
  return {
    get(network) {
      const intervalMs = found.get(network);
      return typeof intervalMs === 'number' && intervalMs > 0 ? intervalMs : undefined;
    },
    set(network, intervalMs) {
      if (found.get(network) !== intervalMs) found.set(network, intervalMs);
    },
  };
}
