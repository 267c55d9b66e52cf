/** What an access worker is told when it starts: plain data, since it crosses a thread. */
import type { NodeConfig } from '../config/index.js';
import type { PublicJwks } from '../tokens/index.js';
import type { AccessProtocol } from '../transports/index.js';

export interface ListenAt {
  readonly protocol: AccessProtocol;
  readonly host: string;
  /** Never 0. */
  readonly port: number;
}

export interface WorkerSettings {
  readonly index: number;
  /** How many workers share the node's limits. */
  readonly workers: number;
  /** Connections of this worker. */
  readonly maxConnections: number;
  /** Counts the runs of this worker. */
  readonly generation: number;
  readonly incarnation: string;
  readonly config: NodeConfig;
  readonly jwks: PublicJwks;
  readonly listeners: readonly ListenAt[];
  readonly reusePort: boolean;
}
