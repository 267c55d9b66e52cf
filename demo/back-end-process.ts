/**
 * One sample back-end as a child process, seen from the demo. The two talk over the channel that `fork` opens, for
 * what is not known in advance: the child's port, then the bridge's address. The channel is a lifeline as well: a
 * child whose parent is gone sees it close and ends, so that not even a killed demo leaves one behind.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TrunklineError } from '../protocol/index.js';

const START_TIMEOUT_MS = 15_000;
/** From SIGTERM to SIGKILL. */
const STOP_TIMEOUT_MS = 3_000;

/** What a child tells: where it listens; that it has seen the bridge and is at work. */
export type FromBackEnd = { readonly type: 'listening'; readonly url: string } | { readonly type: 'ready' };
/** What it is told. */
export interface ToBackEnd {
  readonly type: 'bridge';
  readonly url: string;
}

/** A sample back-end ended by itself, or did not start in time. */
export class BackEndFailedError extends TrunklineError {
  readonly code = 'TRK_DEMO_BACK_END_FAILED';
  constructor(
    readonly backEnd: string,
    readonly detail: string,
  ) {
    super(`the ${backEnd} back-end ${detail}`);
  }
}

export interface BackEndProcessOptions {
  /** Business name, for messages. */
  readonly name: string;
  /** Added to this process's environment: the child's keys. Never arguments, which every user may list. */
  readonly env: Readonly<Record<string, string>>;
}

export class BackEndProcess {
  readonly name: string;
  /** Rejects with BackEndFailedError when the child ends by itself; never resolves. */
  readonly failed: Promise<never>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #stopping = false;

  constructor({ name, env }: BackEndProcessOptions) {
    this.name = name;
    this.#child = fork(fileURLToPath(new URL(`./${name}-back-end.js`, import.meta.url)), [], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [],
    });
    const exit = new Promise<string>((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
      this.#child.once('error', (error) => resolve(error.message));
    });
    this.#exited = exit.then(() => undefined);
    this.failed = exit.then((how) => {
      if (this.#stopping) return new Promise<never>(() => {});
      throw new BackEndFailedError(name, `ended by itself (${how})`);
    });
    // Whoever awaits it hears of it; nobody awaiting is no fault.
    this.failed.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @returns the URL for its upstream requests @throws {BackEndFailedError} */
  async listening(): Promise<string> {
    const message = await this.#next('listening');
    return message.type === 'listening' ? message.url : '';
  }

  /** Tells it where the bridge is and waits until it is at work. @throws {BackEndFailedError} */
  async connect(bridgeUrl: string): Promise<void> {
    const message: ToBackEnd = { type: 'bridge', url: bridgeUrl };
    const ready = this.#next('ready');
    this.#child.send(message);
    await ready;
  }

  /** Settles when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #next(type: FromBackEnd['type']): Promise<FromBackEnd> {
    let timer: NodeJS.Timeout | undefined;
    const message = new Promise<FromBackEnd>((resolve, reject) => {
      timer = setTimeout(() => {
        reject(new BackEndFailedError(this.name, `was not ${type} within ${START_TIMEOUT_MS / 1000} s`));
      }, START_TIMEOUT_MS);
      const onMessage = (value: unknown): void => {
        const received = value as FromBackEnd;
        if (received.type !== type) return;
        this.#child.off('message', onMessage);
        resolve(received);
      };
      this.#child.on('message', onMessage);
    });
    return Promise.race([message, this.failed]).finally(() => clearTimeout(timer));
  }
}
