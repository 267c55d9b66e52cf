/** A primary with one replica, watched by one Sentinel, as small as a failover can be. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './listening.js';
import { RedisServer, type RedisServerOptions, WITH_PARENT } from './redis-server.js';

export const SENTINEL_NAME = 'mymaster';
const DOWN_AFTER_MS = 500;
const POLL_MS = 20;

export interface RedisSentinelOptions extends Pick<RedisServerOptions, 'args'> {
  /** Of the Sentinel, not of the servers. */
  readonly password?: string;
}

export class RedisSentinel {
  /** Of the Sentinel. */
  readonly port: number;
  primary: RedisServer;
  replica: RedisServer;
  readonly #dir = mkdtempSync(join(tmpdir(), 'trunkline-sentinel-'));
  readonly #password: string | undefined;
  #child: ChildProcess | undefined;

  private constructor(port: number, password: string | undefined, primary: RedisServer, replica: RedisServer) {
    this.port = port;
    this.#password = password;
    this.primary = primary;
    this.replica = replica;
  }

  /** When it resolves, the Sentinel knows the replica, and a failover can go ahead. */
  static async start(options: RedisSentinelOptions = {}): Promise<RedisSentinel> {
    const args = ['--repl-diskless-sync-delay', '0', ...(options.args ?? [])];
    const primary = await RedisServer.start({ args });
    const replica = await RedisServer.start({ args: [...args, '--replicaof', '127.0.0.1', String(primary.port)] });
    const sentinel = new RedisSentinel(await freePort(), options.password, primary, replica);
    await sentinel.#run();
    return sentinel;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Kills the primary and waits until the Sentinel names the replica instead. */
  async failOver(): Promise<void> {
    await this.primary.kill();
    await this.#until(async () => (await this.#primaryPort()) === this.replica.port);
    [this.primary, this.replica] = [this.replica, this.primary];
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    }
    await Promise.all([this.primary.stop(), this.replica.stop()]);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    const file = join(this.#dir, 'sentinel.conf');
    writeFileSync(
      file,
      `bind 127.0.0.1
port ${this.port}
dir ${this.#dir}
sentinel monitor ${SENTINEL_NAME} 127.0.0.1 ${this.primary.port} 1
sentinel down-after-milliseconds ${SENTINEL_NAME} ${DOWN_AFTER_MS}
sentinel failover-timeout ${SENTINEL_NAME} 3000
sentinel parallel-syncs ${SENTINEL_NAME} 1
${this.#password === undefined ? '' : `requirepass "${this.#password}"`}
`,
    );
    this.#child = spawn(WITH_PARENT[0] as string, [...WITH_PARENT.slice(1), 'redis-sentinel', file], {
      stdio: 'ignore',
    });
    const child = this.#child;
    process.on('exit', () => child.kill('SIGKILL'));
    await this.#until(async () => (await this.#replicas()) === 1);
  }

  async #replicas(): Promise<number> {
    const replicas = (await this.#ask('replicas')) as unknown[][];
    // It counts only once its replication is up, and not the moment it was heard of.
    return replicas.filter((fields) => fields[fields.indexOf('master-link-status') + 1] === 'ok').length;
  }

  async #primaryPort(): Promise<number> {
    const [, port] = (await this.#ask('get-master-addr-by-name')) as string[];
    return Number(port);
  }

  async #ask(question: string): Promise<unknown> {
    const password = this.#password === undefined ? {} : { password: this.#password };
    const redis = new Redis({
      port: this.port,
      ...password,
      lazyConnect: true,
      retryStrategy: null,
      enableReadyCheck: false,
    });
    redis.on('error', () => undefined);
    try {
      return await redis.call('sentinel', question, SENTINEL_NAME);
    } finally {
      redis.disconnect();
    }
  }

  async #until(isTrue: () => Promise<boolean>): Promise<void> {
    while (!(await isTrue().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
