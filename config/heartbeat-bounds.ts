/** The bounds of heartbeats as they are in force: `intervalMs` is always within, however it was set. */
import type { NodeConfig } from './schema.js';

export interface HeartbeatBounds {
  /** Where a client begins. */
  readonly intervalMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

export function heartbeatBounds({ intervalMs, minMs, maxMs }: NodeConfig['heartbeat']): HeartbeatBounds {
  return { intervalMs, minMs: Math.min(minMs, intervalMs), maxMs: Math.max(maxMs, intervalMs) };
}
