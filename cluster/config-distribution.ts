/**
 * How another configuration comes into force on a node: access workers first, the main thread last, so that a token
 * issued under the new configuration meets workers that know it. One reload after the other.
 *
 * @see docs/decisions/0041-reload.md
 */
import type { ActorRef } from '../actors/index.js';
import type { CurrentConfig, NodeConfig } from '../config/index.js';
import type { Logger } from './logger.js';
import { checkReload, type ReloadResult } from './reload.js';
import { within } from './within.js';

/** For a worker to take it over; one that hangs finds the message when it wakes. */
const RECONFIGURE_MS = 5_000;

export class ConfigDistribution {
  readonly #current: CurrentConfig;
  readonly #log: Logger;
  /** Ahead of the configuration in force while a reload is under way. */
  #forWorkers: NodeConfig;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(current: CurrentConfig, log: Logger) {
    this.#current = current;
    this.#log = log;
    this.#forWorkers = current.value;
  }

  /** What a worker that starts is given. */
  get forWorkers(): NodeConfig {
    return this.#forWorkers;
  }

  /** A worker has started; it is told again what has changed since. @param had what it was given */
  async catchUp(worker: ActorRef, had: NodeConfig): Promise<void> {
    for (let has = had; has !== this.#forWorkers; ) {
      has = this.#forWorkers;
      await this.#tell(worker, has);
    }
  }

  /**
   * @param ready throws while the node takes no configuration
   * @param workers those that are up when it is this reload's turn
   * @param takeOver the main thread's part, at once after the configuration is in force
   * @throws {RestartNeededError} nothing has changed
   */
  reload(
    config: NodeConfig,
    steps: { ready(): void; workers(): readonly ActorRef[]; takeOver(): Promise<void> },
  ): Promise<ReloadResult> {
    const result = this.#queue.then(async () => {
      steps.ready();
      const checked = checkReload(this.#current.value, config);
      this.#forWorkers = config;
      await Promise.all(steps.workers().map((worker) => this.#tell(worker, config)));
      this.#current.replace(config);
      await steps.takeOver();
      return checked;
    });
    this.#queue = result.catch(() => {});
    return result;
  }

  async #tell(worker: ActorRef, config: NodeConfig): Promise<void> {
    const taken = worker.sendAndReceive('reconfigure', { config }).then(() => true);
    try {
      if ((await within(RECONFIGURE_MS, taken)) === true) return;
      this.#log.warn('access worker is slow to take the configuration');
    } catch (error) {
      this.#log.warn('access worker did not take the configuration', { error: String(error) });
    }
  }
}
