/** A Redis Cluster of three primaries, each with a replica where a test is about to kill one. */
import type { Redis } from 'ioredis';
import { freePort } from './listening.js';
import { RedisServer } from './redis-server.js';

const SLOTS = 16_384;
const PRIMARIES = 3;
const NODE_TIMEOUT_MS = 1_000;
const POLL_MS = 20;

export interface RedisClusterOptions {
  /** For each primary; default 0. */
  readonly replicas?: 0 | 1;
}

export class RedisCluster {
  readonly primaries: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];

  private constructor(primaries: readonly RedisServer[], replicas: readonly RedisServer[]) {
    this.primaries = primaries;
    this.replicas = replicas;
  }

  /** When it resolves, every server knows of the others and serves its slots. */
  static async start({ replicas = 0 }: RedisClusterOptions = {}): Promise<RedisCluster> {
    const servers = await Promise.all(Array.from({ length: PRIMARIES * (1 + replicas) }, startMember));
    const cluster = new RedisCluster(servers.slice(0, PRIMARIES), servers.slice(PRIMARIES));
    await cluster.#form();
    return cluster;
  }

  get addresses(): string[] {
    return this.primaries.map(({ address }) => address);
  }

  /** Moves a slot that holds no keys, or whose keys may be lost, from one primary to another at once. */
  async giveSlot(slot: number, to: RedisServer): Promise<void> {
    const id = await to.ask(idOf);
    const from = await this.ownerOf(slot);
    if (from === to) return;
    // The new owner first: at the end of an import, and only then, it raises the epoch, and so its word counts.
    const fromId = await from.ask(idOf);
    await to.ask((redis) => redis.call('cluster', 'setslot', slot, 'importing', fromId));
    for (const server of [to, ...this.primaries.filter((each) => each !== to)]) {
      await server.ask((redis) => redis.call('cluster', 'setslot', slot, 'node', id));
    }
  }

  /** Which primary owns a slot, as one of them says. */
  async ownerOf(slot: number): Promise<RedisServer> {
    const alive = this.primaries.find(({ pid }) => pid > 0) as RedisServer;
    const ranges = (await alive.ask((redis) => redis.call('cluster', 'slots'))) as [number, number, [string, number]][];
    const range = ranges.find(([from, to]) => from <= slot && slot <= to);
    return [...this.primaries, ...this.replicas].find(({ port }) => port === range?.[2][1]) as RedisServer;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.primaries, ...this.replicas].map((server) => server.stop()));
  }

  async #form(): Promise<void> {
    const [first, ...others] = [...this.primaries, ...this.replicas] as [RedisServer, ...RedisServer[]];
    await Promise.all(
      this.primaries.map((server, i) =>
        server.ask((redis) =>
          redis.call(
            'cluster',
            'addslotsrange',
            Math.floor((SLOTS * i) / PRIMARIES),
            Math.floor((SLOTS * (i + 1)) / PRIMARIES) - 1,
          ),
        ),
      ),
    );
    for (const { host, port } of others) {
      await first.ask((redis) => redis.call('cluster', 'meet', host, port, busPortOf(port)));
    }
    await this.#all(
      async (redis) =>
        ((await redis.call('cluster', 'nodes')) as string).trim().split('\n').length === 1 + others.length,
    );
    for (const [i, replica] of this.replicas.entries()) {
      const id = await (this.primaries[i] as RedisServer).ask(idOf);
      await replica.ask((redis) => redis.call('cluster', 'replicate', id));
    }
    await this.#all(async (redis) => ((await redis.call('cluster', 'info')) as string).includes('cluster_state:ok'));
    await this.#all(async (redis) =>
      ((await redis.call('cluster', 'slots')) as unknown[][]).every(
        (range) => range.length === 3 + this.replicas.length / PRIMARIES,
      ),
    );
  }

  async #all(isTrue: (redis: Redis) => Promise<boolean>): Promise<void> {
    for (const server of [...this.primaries, ...this.replicas]) {
      while (!(await server.ask(isTrue))) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

/** The port of the servers' talk among themselves has to be free as well. */
const busPorts = new Map<number, number>();

function busPortOf(port: number): number {
  return busPorts.get(port) as number;
}

async function startMember(): Promise<RedisServer> {
  const busPort = await freePort();
  const server = await RedisServer.start({
    args: [
      ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
      ...['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--repl-diskless-sync-delay', '0'],
    ],
  });
  busPorts.set(server.port, busPort);
  return server;
}

async function idOf(redis: Redis): Promise<string> {
  return (await redis.call('cluster', 'myid')) as string;
}
