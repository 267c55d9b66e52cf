/**
 * Keeps one access worker running: starts its thread, notices its end, and starts it again after a back-off that
 * doubles with each failure in a short time. After too many it gives up, loudly.
 */
import type { ActorRef, ParentRef } from '../actors/index.js';
import type { Logger } from './logger.js';
import { createThreadedActor, type ThreadedActor } from './threaded-actor.js';

export interface RestartPolicy {
  /** Before the first restart; doubled with each failure, up to `maxBackoffMs`. Default 200 ms. */
  readonly firstBackoffMs: number;
  /** Default 10 s. */
  readonly maxBackoffMs: number;
  /** A worker that ran this long has recovered: its failures are forgotten. Default 60 s. */
  readonly stableMs: number;
  /** Failures after which the worker stays down. Default 8. */
  readonly maxFailures: number;
}

export const DEFAULT_RESTART: RestartPolicy = Object.freeze({
  firstBackoffMs: 200,
  maxBackoffMs: 10_000,
  stableMs: 60_000,
  maxFailures: 8,
});

export interface WorkerSupervisorOptions {
  readonly index: number;
  readonly parent: ParentRef;
  readonly modulePath: string;
  readonly log: Logger;
  readonly restart?: Partial<RestartPolicy>;
  /** The thread exists: sets it up and resolves when it serves. `generation` counts its runs. */
  readonly onUp: (ref: ActorRef, generation: number) => Promise<void>;
  /** A thread for which `onUp` was called is gone; nothing is started again before this has settled. */
  readonly onDown: () => Promise<void>;
  /** It serves, or serves no more. */
  readonly onChange?: (() => void) | undefined;
  /** Too many failures: this worker stays down. */
  readonly onGiveUp: (error: Error) => void;
}

export class WorkerSupervisor {
  readonly #options: WorkerSupervisorOptions;
  readonly #restart: RestartPolicy;
  /** Also while the thread is being made, when there is no `#actor` yet. */
  #creation: Promise<ThreadedActor> | undefined;
  #actor: ThreadedActor | undefined;
  #isUp = false;
  #isStopping = false;
  #generation = 0;
  #failures = 0;
  #upSinceMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WorkerSupervisorOptions) {
    this.#options = options;
    this.#restart = { ...DEFAULT_RESTART, ...options.restart };
  }

  get index(): number {
    return this.#options.index;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Of its present or last run, counted from 0. */
  get generation(): number {
    return Math.max(this.#generation - 1, 0);
  }

  /** The worker's mailbox; `undefined` while it is down. */
  get ref(): ActorRef | undefined {
    return this.#isUp ? this.#actor?.ref : undefined;
  }

  /** @throws the first start's error; later ones are retried */
  async start(): Promise<void> {
    const { parent, modulePath, index, onUp } = this.#options;
    this.#creation = createThreadedActor(parent, modulePath, `AccessWorkerActor-${index}`);
    const actor = await this.#creation;
    // `stop` came meanwhile, and ends the thread.
    if (this.#isStopping) throw new Error('access worker stopped while it started');
    this.#actor = actor;
    const generation = this.#generation++;
    const died = actor.ended.then((error) => Promise.reject(error));
    died.catch(() => {});
    try {
      await Promise.race([onUp(actor.ref, generation), died]);
    } catch (error) {
      await actor.terminate();
      await this.#down();
      throw error;
    }
    this.#setUp(true);
    this.#upSinceMs = performance.now();
    void actor.ended.then((error) => this.#onEnded(error));
  }

  /** Ends the thread and starts it no more. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    const actor = await this.#creation?.catch(() => undefined);
    await actor?.terminate();
  }

  #setUp(isUp: boolean): void {
    this.#isUp = isUp;
    if (!this.#isStopping) this.#options.onChange?.();
  }

  async #onEnded(error: Error): Promise<void> {
    this.#setUp(false);
    if (this.#isStopping) return;
    const { log, index } = this.#options;
    log.error('access worker crashed', { worker: index, error: error.message, stack: error.stack });
    await this.#down();
    if (performance.now() - this.#upSinceMs > this.#restart.stableMs) this.#failures = 0;
    this.#scheduleRestart(error);
  }

  /** What the worker left is cleared away; where that fails, the worker is needed all the same. */
  async #down(): Promise<void> {
    const { log, index, onDown } = this.#options;
    try {
      await onDown();
    } catch (error) {
      log.error('what an access worker left could not be withdrawn', { worker: index, error: String(error) });
    }
  }

  #scheduleRestart(error: Error): void {
    if (this.#isStopping) return;
    this.#failures += 1;
    const { log, index, onGiveUp } = this.#options;
    const { firstBackoffMs, maxBackoffMs, maxFailures } = this.#restart;
    if (this.#failures > maxFailures) {
      log.error('access worker given up', { worker: index, failures: this.#failures });
      return onGiveUp(error);
    }
    const delayMs = Math.min(firstBackoffMs * 2 ** (this.#failures - 1), maxBackoffMs);
    log.warn('access worker restarts', { worker: index, delayMs });
    this.#timer = setTimeout(() => {
      this.start().then(
        () => log.info('access worker restarted', { worker: index }),
        (startError) => {
          if (this.#isStopping) return;
          log.error('access worker did not start', { worker: index, error: String(startError) });
          this.#scheduleRestart(startError as Error);
        },
      );
    }, delayMs);
  }
}
