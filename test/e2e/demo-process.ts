/**
 * The demo as a person starts it: a child process with ports of the kernel's choice, known by what it prints and by
 * its process tree.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';

const MAIN = 'dist/cli/main.js';
const START_LIMIT_MS = 120_000;

export class DemoProcess {
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  readonly #exited: Promise<number | string>;

  private constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [MAIN, 'demo', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#exited = once(this.#child, 'close').then(([code, signal]) => code ?? signal);
  }

  /** Started, not awaited: for demos that are to fail. */
  static spawn(...args: string[]): DemoProcess {
    return new DemoProcess(args);
  }

  /** @returns once the commands are printed */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<DemoProcess> {
    const demo = new DemoProcess(['--port-base', '0'], env);
    await demo.printed(/^npx trunkline connect [^\n]+\n/m);
    return demo;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get pageUrl(): string {
    return this.printedAddress('Page');
  }

  /** @returns what stands behind a label, such as `Control`; for `Access` the TCP address */
  printedAddress(label: string): string {
    return new RegExp(`^  ${label} +(?:tcp )?(\\S+)`, 'm').exec(this.#stdout)?.[1] ?? '';
  }

  /** The demo's certificate. */
  get certFile(): string {
    return / --ca '([^']+)'/.exec(this.#stdout)?.[1] ?? '';
  }

  get connectCommand(): string {
    return /^npx trunkline connect .+$/m.exec(this.#stdout)?.[0] ?? '';
  }

  get curlCommands(): string[] {
    return [...this.#stdout.matchAll(/^curl .+$/gm)].map(([line]) => line);
  }

  /** Settles with the exit code, or the signal that ended it. */
  get exited(): Promise<number | string> {
    return this.#exited;
  }

  /** Waits until standard output matches. */
  async printed(pattern: RegExp): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS;
    while (!pattern.test(this.#stdout)) {
      if (this.#child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`the demo did not print ${pattern}\n${this.#stdout}\n${this.#stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** Pids of the processes it started, from `/proc`; by the script that each runs. */
  children(): { pid: number; script: string }[] {
    const { pid } = this.#child;
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return list.split(' ').flatMap((text) => {
      const command = text === '' ? '' : readFileSync(`/proc/${text}/cmdline`, 'utf8');
      const script = /([\w-]+)\.js/.exec(command)?.[1];
      return script === undefined ? [] : [{ pid: Number(text), script }];
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<number | string> {
    this.#child.kill('SIGTERM');
    return this.#exited;
  }
}

export function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
