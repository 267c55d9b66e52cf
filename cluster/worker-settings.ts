/** What an access worker is told when it starts: plain data, since it crosses a thread. */
import type { NodeConfig } from '../config/index.js';
import type { PublicJwks, RevocationChange } from '../tokens/index.js';
import type { AccessProtocol } from '../transports/index.js';
import type { SecureMaterials } from './certificates.js';

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
  /** How many of them, the last ones, hold QUIC connections and no others. */
  readonly quicWorkers: number;
  /** Counts the runs of this worker. */
  readonly generation: number;
  readonly incarnation: string;
  readonly config: NodeConfig;
  readonly jwks: PublicJwks;
  /** In force when the worker starts. */
  readonly revocations: readonly RevocationChange[];
  readonly listeners: readonly ListenAt[];
  readonly reusePort: boolean;
  /** The node's overload board. */
  readonly overload: SharedArrayBuffer;
  /** Where the node's workers count their links together. */
  readonly admission: SharedArrayBuffer;
  /** Of the listeners that need a certificate. */
  readonly secure: SecureMaterials;
}
