/**
 * Keeps one access worker running: starts its thread, notices its end, and starts it again after a back-off that
 * doubles with each failure in a short time. After too many it gives up, loudly.
 */
import type { ActorRef, ParentRef } from '../actors/index.js';
import type { Logger } from './logger.js';
import { createThreadedActor, type ThreadedActor } from './threaded-actor.js';

const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 10_000;
/** A worker that ran this long has recovered. */
const STABLE_MS = 60_000;
const MAX_FAILURES = 8;

export interface WorkerSupervisorOptions {
  readonly index: number;
  readonly parent: ParentRef;
  readonly modulePath: string;
  readonly log: Logger;
  /** The thread exists: sets it up and resolves when it serves. `generation` counts its runs. */
  readonly onUp: (ref: ActorRef, generation: number) => Promise<void>;
  /** The thread is gone; nothing is started again before this has resolved. */
  readonly onDown: () => Promise<void>;
  /** Too many failures: this worker stays down. */
  readonly onGiveUp: (error: Error) => void;
}

export class WorkerSupervisor {
  readonly #options: WorkerSupervisorOptions;
  #actor: ThreadedActor | undefined;
  #isUp = false;
  #isStopping = false;
  #generation = 0;
  #failures = 0;
  #upSinceMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WorkerSupervisorOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** The worker's mailbox; `undefined` while it is down. */
  get ref(): ActorRef | undefined {
    return this.#isUp ? this.#actor?.ref : undefined;
  }

  /** @throws the first start's error; later ones are retried */
  async start(): Promise<void> {
    const { parent, modulePath, index, onUp } = this.#options;
    const actor = await createThreadedActor(parent, modulePath, `AccessWorkerActor-${index}`);
    this.#actor = actor;
    const generation = this.#generation++;
    const died = actor.ended.then((error) => Promise.reject(error));
    died.catch(() => {});
    try {
      await Promise.race([onUp(actor.ref, generation), died]);
    } catch (error) {
      await actor.terminate();
      throw error;
    }
    this.#isUp = true;
    this.#upSinceMs = performance.now();
    void actor.ended.then((error) => this.#onEnded(error));
  }

  /** Ends the thread and starts it no more. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    await this.#actor?.terminate();
  }

  async #onEnded(error: Error): Promise<void> {
    this.#isUp = false;
    if (this.#isStopping) return;
    const { log, index, onDown } = this.#options;
    log.error('access worker crashed', { worker: index, error: error.message, stack: error.stack });
    await onDown();
    if (performance.now() - this.#upSinceMs > STABLE_MS) this.#failures = 0;
    this.#scheduleRestart(error);
  }

  #scheduleRestart(error: Error): void {
    if (this.#isStopping) return;
    this.#failures += 1;
    const { log, index, onGiveUp } = this.#options;
    if (this.#failures > MAX_FAILURES) {
      log.error('access worker given up', { worker: index, failures: this.#failures });
      return onGiveUp(error);
    }
    const delayMs = Math.min(FIRST_BACKOFF_MS * 2 ** (this.#failures - 1), MAX_BACKOFF_MS);
    log.warn('access worker restarts', { worker: index, delayMs });
    this.#timer = setTimeout(() => {
      this.start().then(
        () => log.info('access worker restarted', { worker: index }),
        (startError) => {
          log.error('access worker did not start', { worker: index, error: String(startError) });
          this.#scheduleRestart(startError as Error);
        },
      );
    }, delayMs);
  }
}
