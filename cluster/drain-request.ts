/** What an operator may ask of a drain, and what they are answered before it begins. */
import type { NodeConfig } from '../config/index.js';
import { TrunklineError } from '../protocol/index.js';
import { drainTimes } from './drain.js';
import type { DrainTarget } from './drain-targets.js';

export interface DrainRequest {
  /** Over which clients are told to go; a fifth of `node.drainMs` when absent. What comes after it takes as long as ever. */
  readonly windowMs?: number | undefined;
  /** Name of the node that is to take the clients. */
  readonly preferNode?: string | undefined;
}

export interface DrainStarted {
  readonly node: string;
  /** When it began. */
  readonly connections: number;
  readonly windowMs: number;
  /** By then the process has ended. */
  readonly withinMs: number;
  /** Names of the nodes that clients are sent to; none when there is no other. */
  readonly to: readonly string[];
}

/** The node that was to be preferred takes no clients. */
export class NoSuchTargetError extends TrunklineError {
  readonly code = 'TRK_UNKNOWN_NODE';
  constructor(readonly node: string) {
    super(`no other node ${JSON.stringify(node)} takes clients; see the nodes of the service`);
  }
}

/** @throws {NoSuchTargetError} */
export function startDrain(
  { windowMs, preferNode }: DrainRequest,
  { config, connections, targets }: { config: NodeConfig; connections: number; targets: readonly DrainTarget[] },
): DrainStarted {
  if (preferNode !== undefined && targets.length === 0) throw new NoSuchTargetError(preferNode);
  const { name, drainMs } = config.node;
  const usual = drainTimes(drainMs).windowMs;
  const window = windowMs ?? usual;
  return {
    node: name,
    connections,
    windowMs: window,
    withinMs: drainMs + window - usual,
    to: targets.map((target) => target.name).sort(),
  };
}
