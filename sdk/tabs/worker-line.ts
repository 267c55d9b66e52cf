/**
 * One attachment of a tab to a worker: the port, the tab's sign of life and the watch on the worker's. It ends once
 * and is never used again; the next attachment has a port of its own.
 */
import type { Clock } from '../clock.js';
import { Deferred } from '../deferred.js';
import { fromPlainError } from './error-codec.js';
import { awaitLock, holdLock, type LockManagerLike, lockName } from './life-signs.js';
import { PortChannel, type PortHandlers, type PortLike } from './port-channel.js';
import type { TabNotice, TabOutbox, TabQuestion, WorkerNotice, WorkerQuestion } from './port-messages.js';
import type { SharedSettings } from './shared-settings.js';

export interface WorkerLineOptions {
  readonly port: PortLike;
  readonly settings: SharedSettings;
  readonly locks: LockManagerLike | undefined;
  readonly clock: Clock;
  readonly handlers: PortHandlers<WorkerQuestion, WorkerNotice>;
  /** The worker is gone; not called after `end`. */
  readonly onLost: () => void;
}

export class WorkerLine {
  readonly #options: WorkerLineOptions;
  readonly #channel: PortChannel<TabOutbox, WorkerQuestion, WorkerNotice>;
  readonly #welcome = new Deferred<void>();
  #releases: (() => void)[] = [];
  #ended = false;

  constructor(options: WorkerLineOptions) {
    this.#options = options;
    const { port, handlers } = options;
    this.#channel = new PortChannel(port, {
      onQuestion: (question, signal) => handlers.onQuestion(question, signal),
      onNotice: (notice) => this.#told(notice),
    });
    this.#welcome.promise.catch(() => {});
  }

  /**
   * Says hello.
   *
   * @returns once the worker knows this tab
   * @throws {InvalidOptionError} no client can be made with these settings; what `end` was given
   */
  async open(): Promise<void> {
    const { locks, settings } = this.#options;
    const lock = locks === undefined ? undefined : lockName('tab');
    // The lock first: the worker takes its being free for the tab's end.
    if (locks !== undefined && lock !== undefined) this.#keep(await holdLock(locks, lock));
    this.#channel.tell({ kind: 'hello', lock, settings });
    return this.#welcome.promise;
  }

  ask<T>(question: TabQuestion, signal?: AbortSignal): Promise<T> {
    return this.#channel.ask<T>(question, signal);
  }

  tell(notice: TabNotice): void {
    this.#channel.tell(notice);
  }

  /** Says goodbye; what is still asked rejects with `error`. */
  end(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#channel.tell({ kind: 'bye' });
    this.#channel.close(error);
    this.#welcome.reject(error);
    for (const release of this.#releases) release();
  }

  #told(notice: WorkerNotice): void {
    if (notice.kind === 'refused') return this.#welcome.reject(fromPlainError(notice.error));
    if (notice.kind !== 'welcome') return this.#options.handlers.onNotice(notice);
    const { locks, clock } = this.#options;
    const lost = (): void => {
      if (!this.#ended) this.#options.onLost();
    };
    if (locks !== undefined && notice.lock !== undefined) this.#keep(awaitLock(locks, notice.lock, lost));
    else this.#channel.startBeat(clock, lost);
    this.#welcome.resolve();
  }

  #keep(release: () => void): void {
    if (this.#ended) release();
    else this.#releases.push(release);
  }
}
