/**
 * Real Redis servers on free ports of loopback, each with a directory of its own and nothing written to disk, ended by
 * their process ids. A fault is a signal: SIGKILL is a crash, SIGSTOP a server that hangs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './listening.js';

const TRIES = 5;
const QUIET = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1', '--daemonize', 'no', '--loglevel', 'warning'];

/** Ends a server with the thread that started it, however that ends. */
export const WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL'];

export interface RedisServerOptions {
  /** A free one by default. */
  readonly port?: number;
  /** Such as `['--requirepass', 'secret']`. */
  readonly args?: readonly string[];
  /** Of the server; a new one by default, removed in the end. */
  readonly dir?: string;
  /** Stands before them, to run it elsewhere: `ip netns exec ...`. */
  readonly wrapper?: readonly string[];
  readonly host?: string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class RedisServer {
  readonly host: string;
  readonly port: number;
  readonly #args: readonly string[];
  readonly #dir: string;
  readonly #wrapper: readonly string[];
  #child: ChildProcess | undefined;
  #words = '';

  private constructor(port: number, { args = [], dir, wrapper = [], host = '127.0.0.1' }: RedisServerOptions) {
    this.host = host;
    this.port = port;
    this.#args = args;
    this.#dir = dir ?? mkdtempSync(join(tmpdir(), 'trunkline-redis-'));
    this.#wrapper = wrapper;
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(options.port ?? (await freePort()), options);
      try {
        await server.startAgain();
        return server;
      } catch (error) {
        await server.stop();
        // Another test may have been faster with the port.
        if (attempt === TRIES) throw error;
      }
    }
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  get dir(): string {
    return this.#dir;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** On the same port, empty, when it answers. */
  async startAgain(): Promise<void> {
    const own = ['--port', String(this.port), '--dir', this.#dir, ...QUIET, ...this.#args];
    const [program, ...args] = [...this.#wrapper, ...WITH_PARENT, 'redis-server', ...own];
    await this.#run(program as string, args);
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    running.add(child);
    child.once('close', () => running.delete(child));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#words = (this.#words + text).slice(-4_000);
      });
    }
    const ended = once(child, 'close').then(() => Promise.reject(new Error(`redis-server ended: ${this.#words}`)));
    await Promise.race([this.#answers(), ended]);
    ended.catch(() => undefined);
  }

  async #answers(): Promise<void> {
    // Without a network of its own the server is asked; else only its log can tell.
    if (this.#wrapper.length > 0) return;
    while (this.#child?.exitCode === null) {
      if (await this.ask((redis) => redis.call('ping')).then(isPong, isRefusal)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** One conversation over a connection of its own. */
  async ask<T>(talk: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis({ host: this.host, port: this.port, lazyConnect: true, retryStrategy: null });
    redis.on('error', () => undefined);
    try {
      return await talk(redis);
    } finally {
      redis.disconnect();
    }
  }

  /** A crash. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Answers nobody until `resume`; its connections stay open. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.#end('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'close');
    child.kill(signal);
    await ended;
  }
}

function isPong(answer: unknown): boolean {
  return answer === 'PONG';
}

/** A server that wants a password is up all the same. */
function isRefusal(error: Error): boolean {
  return /NOAUTH|WRONGPASS/.test(error.message);
}
