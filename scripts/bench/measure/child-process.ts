/**
 * Processes that a benchmark starts: pinned, ended by their own id, and never outliving it, however it ends. Each
 * tells its addresses in its first line of output, as JSON.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { BenchError } from './bench-error.js';
import { pinned, type Side } from './pinning.js';

const STOP_MS = 15_000;
const START_MS = 30_000;

/** Characters of output kept to say what went wrong. */
const KEPT_WORDS = 2_000;

const running = new Map<ChildProcess, NodeJS.Signals>();
const directories = new Set<string>();

process.on('exit', () => {
  for (const [child, signal] of running) child.kill(signal);
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

export function removeAtExit(directory: string): void {
  directories.add(directory);
}

export interface StartOptions {
  readonly side: Side;
  /** Node's own options, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
  /** Sent when this process ends first. Default SIGKILL; SIGTERM lets a scenario end its own processes. */
  readonly lastSignal?: NodeJS.Signals;
}

export class BenchProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #lastWords = '';

  /** @param script absolute path of a built file */
  constructor(script: string, args: readonly string[], options: StartOptions) {
    const command = pinned(options.side, [process.execPath, ...(options.nodeOptions ?? []), script, ...args]);
    const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    running.set(child, options.lastSignal ?? 'SIGKILL');
    this.#exited = new Promise((resolve) => child.once('close', () => resolve()));
    child.once('close', () => running.delete(child));
    child.stderr?.on('data', (chunk) => {
      this.#lastWords = (this.#lastWords + chunk).slice(-KEPT_WORDS);
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new BenchError('the process did not start');
    return this.#child.pid;
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Its last lines of standard error. */
  get lastWords(): string {
    return this.#lastWords;
  }

  /**
   * The first line of output that is a JSON object with `property`; whatever follows is let go, because a full pipe
   * would block the process.
   *
   * @throws {BenchError} it ended before, or took more than `timeoutMs`
   */
  async message<T>(property: keyof T & string, timeoutMs = START_MS): Promise<T> {
    const { stdout } = this.#child;
    if (stdout === null) throw new BenchError('no output to read');
    const lines = createInterface({ input: stdout });
    const timer = setTimeout(() => lines.close(), timeoutMs);
    try {
      for await (const line of lines) {
        const value = parseObject(line);
        if (property in value) return value as T;
        this.#lastWords = `${this.#lastWords}${line}\n`.slice(-KEPT_WORDS);
      }
    } finally {
      clearTimeout(timer);
      lines.close();
      stdout.resume();
    }
    await this.stop();
    throw new BenchError(`a process of the benchmark did not start: ${this.#lastWords}`);
  }

  /** SIGTERM, and SIGKILL when that is not enough. */
  async stop(): Promise<void> {
    if (!this.hasExited) this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}

function parseObject(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
