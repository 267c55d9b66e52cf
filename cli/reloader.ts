/**
 * A reload from its occasion (SIGHUP, the admin API) to its line in the log. Whatever is wrong is logged and thrown;
 * the node goes on with what it has.
 */
import type { Logger, NodeHandle, ReloadResult } from '../cluster/index.js';
import { NodeNotRunningError } from '../cluster/index.js';
import { ConfigError, type NodeConfig } from '../config/index.js';

export interface ReloaderOptions {
  /** Reads everything anew: file, environment, flags. @throws {ConfigError} */
  readonly read: () => NodeConfig;
  /**
   * Reads what the configuration points at and the node does not read itself.
   *
   * @returns puts it in force, and names what changed
   * @throws {ConfigError}
   */
  readonly prepare: (config: NodeConfig) => () => readonly string[];
  readonly log: Logger;
}

export class Reloader {
  readonly #options: ReloaderOptions;
  #node: NodeHandle | undefined;

  constructor(options: ReloaderOptions) {
    this.#options = options;
  }

  /** The node is up: from now on it can be reloaded. */
  attach(node: NodeHandle): void {
    this.#node = node;
  }

  /** @throws {ConfigError | RestartNeededError | NodeNotRunningError} nothing has changed */
  async reload(): Promise<ReloadResult> {
    const { read, prepare, log } = this.#options;
    try {
      if (this.#node === undefined) throw new NodeNotRunningError('starting');
      const config = read();
      const apply = prepare(config);
      const { changed } = await this.#node.reload(config);
      const result = { changed: [...new Set([...changed, ...apply()])] };
      log.info('configuration reloaded', { changed: result.changed });
      return result;
    } catch (error) {
      log.error('configuration not reloaded', reasonOf(error));
      throw error;
    }
  }

  /** For a signal, where nobody waits for the outcome. */
  onSignal(): void {
    this.reload().catch(() => {});
  }
}

/** Problems name settings and never values. */
function reasonOf(error: unknown): object {
  if (error instanceof ConfigError) return { error: error.code, problems: error.problems };
  return { error: error instanceof Error ? error.message : String(error) };
}
