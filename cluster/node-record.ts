/** What a node says of itself with each renewal of its lease. */
import type { NodeConfig } from '../config/index.js';
import type { AccessWorkers } from './access-workers.js';
import type { NodeRecord } from './engines/contract/index.js';
import type { AccessAddresses } from './service.js';
import { type NodeState, VERSION } from './status.js';

export interface RecordSources {
  readonly config: NodeConfig;
  readonly incarnation: string;
  readonly startedAtMs: number;
  readonly state: NodeState;
  readonly accessPoints: AccessAddresses;
  /** Absent before they are made. */
  readonly workers: AccessWorkers | undefined;
}

export function recordOf({
  config,
  incarnation,
  startedAtMs,
  state,
  accessPoints,
  workers,
}: RecordSources): NodeRecord {
  const { name, region, pool, roles } = config.node;
  return {
    name,
    incarnation,
    version: VERSION,
    roles,
    region,
    pool,
    startedAtMs,
    draining: state === 'stopping' || state === 'stopped',
    // Nobody is sent to a node that does not serve yet.
    accessPoints: state === 'starting' ? {} : accessPoints,
    workers: workers?.generations ?? [],
    connections: workers?.connections ?? 0,
    connectionLimit: workers?.connectionLimit ?? 0,
    load: workers?.load ?? 0,
  };
}
