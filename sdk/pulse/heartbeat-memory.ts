/** Where a client keeps the heartbeat that it found to hold, per network: a carrier's timeout is not that of a home. */
export interface HeartbeatMemory {
  /** @returns milliseconds; undefined for a network that nothing is known of */
  get(network: string): number | undefined;
  /** @param intervalMs undefined forgets */
  set(network: string, intervalMs: number | undefined): void;
}

/** Lives as long as the object. */
export function heartbeatMemory(): HeartbeatMemory {
  const found = new Map<string, number>();
  return {
    get: (network) => found.get(network),
    set(network, intervalMs) {
      if (intervalMs === undefined) found.delete(network);
      else found.set(network, intervalMs);
    },
  };
}
