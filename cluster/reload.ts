/**
 * Which settings a running node takes over, and the refusal for the others. What is refused is what was handed to the
 * kernel, to threads or to files at the start, or promised to clients that are connected: a frame limit they were told.
 *
 * @see docs/operations.md, "Reload"; docs/decisions/0041-reload.md
 */
import { changedSettings, type NodeConfig } from '../config/index.js';
import { TrunklineError } from '../protocol/index.js';

export interface ReloadResult {
  /** Paths of the settings that changed; none when the file is as it was. */
  readonly changed: readonly string[];
}

/** The new configuration changes settings that take a restart; the old one stays in force. */
export class RestartNeededError extends TrunklineError {
  readonly code = 'TRK_RESTART_NEEDED';
  constructor(readonly settings: readonly string[]) {
    super(`nothing was changed: these settings take a restart: ${settings.join(', ')}`);
  }
}

/** The node is not up yet, or on its way down. */
export class NodeNotRunningError extends TrunklineError {
  readonly code = 'TRK_NODE_NOT_RUNNING';
  override readonly retryable = true;
  constructor(state: string) {
    super(`the node is ${state}`);
  }
}

/** Settings that take a restart. A listener that is switched on or off is a change of `access.PROTOCOL` itself. */
const RESTART: readonly RegExp[] = [
  /^node\.(name|region|pool|roles|dataDir|workers)$/,
  /^(engine|cluster)\b/,
  /^access\.\w+$/,
  /^access\.\w+\.(host|port|proxyProtocol|certFile|keyFile|workers|memoryMiB|idleMs)\b/,
  /^(public|private)\.(host|port|trustedProxies)$/,
  /^limits\.frameBytes$/,
  /^businesses\.[^.]+\.id$/,
];

/**
 * @returns what differs
 * @throws {RestartNeededError}
 */
export function checkReload(before: NodeConfig, after: NodeConfig): ReloadResult {
  const changed = changedSettings(before, after);
  const refused = changed.filter((path) => RESTART.some((pattern) => pattern.test(path)));
  refused.push(...reusedIds(before, after));
  if (refused.length > 0) throw new RestartNeededError(refused);
  return { changed };
}

/** A business that takes the id of one that goes would inherit its connections' grants and groups. */
function reusedIds(before: NodeConfig, after: NodeConfig): string[] {
  const holders = new Map(Object.entries(before.businesses).map(([name, { id }]) => [id, name]));
  return Object.entries(after.businesses)
    .filter(([name, { id }]) => !Object.hasOwn(before.businesses, name) && holders.has(id))
    .map(([name]) => `businesses.${name}.id`);
}
