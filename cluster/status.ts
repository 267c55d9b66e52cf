/** A node at a glance, for operators: what it is, what it holds, what it may hold, and why it is not ready. */
import { readFileSync } from 'node:fs';
import type { CurrentConfig, NodeConfig } from '../config/index.js';
import { connectionLimit } from './connection-limit.js';
import type { OwnState } from './membership/index.js';
import { within } from './within.js';
import type { WorkerSupervisor } from './worker-supervisor.js';

/** A worker that does not say how it is by then is shown without figures. */
const FIGURES_MS = 1_000;

export type NodeState = 'starting' | 'running' | 'stopping' | 'stopped';

/** One access worker's part, as it answers itself. */
export interface WorkerFigures {
  readonly connections: number;
  readonly groups: number;
  /** 99th percentile since `/metrics` was last asked, in milliseconds. */
  readonly eventLoopDelayMs: number;
}

export interface WorkerStatus {
  readonly index: number;
  readonly up: boolean;
  /** Counts the runs of this worker from 0; each crash begins another. */
  readonly generation: number;
  /** Absent while it is down or does not answer. */
  readonly figures?: WorkerFigures | undefined;
}

export interface NodeStatus {
  readonly node: string;
  readonly incarnation: string;
  readonly version: string;
  /** Milliseconds since the Unix epoch. */
  readonly startedAtMs: number;
  readonly uptimeMs: number;
  readonly state: NodeState;
  readonly ready: boolean;
  /** Why not ready, empty when ready. */
  readonly reason: string;
  /** Authenticated connections, of the workers that answered. */
  readonly connections: number;
  /** Its place among the nodes of the service, and why. */
  readonly membership: { readonly state: OwnState; readonly reason: string };
  readonly overload: { readonly level: number; readonly reason: string };
  readonly workers: readonly WorkerStatus[];
  readonly mainEventLoopDelayMs: number;
  readonly memory: { readonly rssBytes: number; readonly heapUsedBytes: number; readonly externalBytes: number };
  /** `host:port` by listener: `tcp`, `ws`, `tls`, `wss` as the node listens. */
  readonly listeners: Readonly<Record<string, string>>;
  /** The same as clients are told to dial. */
  readonly accessPoints: Readonly<Record<string, string>>;
  /** In force; `connections` is what the open files allow. */
  readonly limits: NodeConfig['limits'];
  readonly config: {
    /** Reloads since the start. */
    readonly reloads: number;
    /** When the configuration in force was taken over. */
    readonly sinceMs: number;
  };
}

/** Where the figures come from. */
export interface StatusSources
  extends Pick<
    NodeStatus,
    | 'incarnation'
    | 'startedAtMs'
    | 'state'
    | 'reason'
    | 'membership'
    | 'overload'
    | 'mainEventLoopDelayMs'
    | 'listeners'
    | 'accessPoints'
  > {
  readonly current: CurrentConfig;
  readonly supervisors: readonly WorkerSupervisor[];
}

export async function collectStatus({ current, supervisors, ...known }: StatusSources): Promise<NodeStatus> {
  const { rss, heapUsed, external } = process.memoryUsage();
  const workers = await Promise.all(supervisors.map(statusOf));
  const { node, limits } = current.value;
  return {
    node: node.name,
    version: VERSION,
    uptimeMs: Date.now() - known.startedAtMs,
    ready: known.reason === '',
    connections: workers.reduce((sum, { figures }) => sum + (figures?.connections ?? 0), 0),
    workers,
    memory: { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external },
    limits: { ...limits, connections: connectionLimit(current.value) },
    config: { reloads: current.generation, sinceMs: current.sinceMs },
    ...known,
  };
}

async function statusOf({ index, generation, isUp, ref }: WorkerSupervisor): Promise<WorkerStatus> {
  const answer = ref?.sendAndReceive('figures', {}).catch(() => undefined);
  const figures = (answer && (await within(FIGURES_MS, answer))) as WorkerFigures | undefined;
  return { index, up: isUp, generation, ...(figures === undefined ? {} : { figures }) };
}

/** Of the package, which lies beside `dist/`. */
export const VERSION: string = readVersion();

function readVersion(): string {
  for (const path of ['../../package.json', '../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (name === 'trunkline') return version;
    } catch {
      // Not there: built into another place.
    }
  }
  return 'unknown';
}
