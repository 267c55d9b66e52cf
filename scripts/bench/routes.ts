/**
 * The route store on one Redis server, through the engine as the router uses it: what a route costs in Redis's memory,
 * with 16-byte device ids, and how many a second are claimed and looked up in batches of 100.
 */
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import type { DeviceKey, NewRoute } from '../../actors/index.js';
import type { Engine } from '../../cluster/engines/contract/index.js';
import { createEngine } from '../../cluster/engines/create-engine.js';
import { runAsMain, type Scenario } from './measure/scenario.js';
import { startUsage, type Usage } from './measure/usage.js';
import { type BenchRedis, startRedis } from './node/redis-server.js';

const APP = 'demo';
const BATCH = 100;
const IN_FLIGHT = 16;
const WARM_MS = 1_000;
const NODES = ['4f1c2ab09d3e5f60', '4f1c2ab09d3e5f61', '4f1c2ab09d3e5f62'];
const WORKERS = 2;
const GRANTS = [1, 2];

interface Measured extends Usage {
  readonly count: number;
}

interface Store {
  readonly redis: BenchRedis;
  readonly engine: Engine;
  /** Redis's `used_memory`, bytes. */
  usedMemory(): Promise<number>;
  flush(): Promise<unknown>;
  stop(): Promise<void>;
}

export const scenario: Scenario = {
  defaults: { seconds: 5, connections: 1, routes: 1_000_000 },
  run: async ({ windowMs, routes: size }) => {
    const store = await openStore();
    const ids = Array.from({ length: size }, (_, i) => idOf(i));
    const withUsers = await fill(store, ids, (i) => `u${(i + 1e7).toString(36)}`);
    await store.flush();
    const plain = await fill(store, ids, () => undefined);
    await lookUp(store, ids, WARM_MS);
    const lookups = await lookUp(store, ids, windowMs);
    await store.stop();
    const perSecond = ({ count, seconds }: Measured) => count / seconds;
    return {
      title: 'Routes in Redis',
      conditions: {
        routes: size,
        'device ids': '16 bytes',
        'user ids': '6 bytes',
        grants: GRANTS.length,
        batches: `${BATCH} devices, ${IN_FLIGHT} under way`,
        window: `${windowMs / 1e3} s`,
        redis: 'one server, default limits of packed hashes',
      },
      figures: [
        { name: 'memory of a route', value: plain.bytes, unit: 'B', aim: { atMost: 60 } },
        { name: 'memory of a route with a user id', value: withUsers.bytes, unit: 'B' },
        { name: 'look-ups', value: perSecond(lookups), unit: '/s', aim: { atLeast: 300_000 } },
        { name: "Redis's CPU per look-up", value: lookups.cpuUs / lookups.count, unit: 'µs' },
        { name: "node's CPU per look-up", value: lookups.generatorCpuUs / lookups.count, unit: 'µs' },
        { name: 'claims', value: perSecond(plain), unit: '/s' },
        { name: 'claims with a user id', value: perSecond(withUsers), unit: '/s' },
        { name: "Redis's CPU per claim", value: plain.cpuUs / plain.count, unit: 'µs' },
        { name: 'other processes', value: lookups.othersShare * 100, unit: '% of a core' },
      ],
      notes: [
        "Memory: Redis's used_memory after minus before, over routes; with fewer routes each carries more of its bucket.",
        'The look-ups are decoded, as the router has them.',
      ],
    };
  },
};

async function openStore(): Promise<Store> {
  const redis = await startRedis();
  const engine = await createEngine({
    type: 'redis',
    mode: 'standalone',
    addresses: [`127.0.0.1:${redis.port}`],
    sentinelName: '',
    tls: false,
    prefix: 'trk',
    connectTimeoutMs: 5_000,
    commandTimeoutMs: 30_000,
  });
  const observer = new Redis({ host: '127.0.0.1', port: redis.port });
  return {
    redis,
    engine,
    usedMemory: async () => Number(/used_memory:(\d+)/.exec(await observer.info('memory'))?.[1]),
    flush: () => observer.flushall(),
    stop: async () => {
      observer.disconnect();
      await engine.close();
      await redis.stop();
    },
  };
}

async function fill(
  store: Store,
  ids: readonly string[],
  uidOf: (i: number) => string | undefined,
): Promise<Measured & { readonly bytes: number }> {
  const before = await store.usedMemory();
  const endUsage = startUsage(store.redis.pid);
  let next = 0;
  await inFlight(() => {
    if (next === ids.length) return undefined;
    const from = next;
    next = Math.min(ids.length, from + BATCH);
    return store.engine.routes.claim(
      ids.slice(from, next).map((deviceId, i) => routeOf(deviceId, from + i, uidOf(from + i))),
    );
  });
  const usage = endUsage();
  return { ...usage, count: ids.length, bytes: ((await store.usedMemory()) - before) / ids.length };
}

async function lookUp({ redis, engine }: Store, ids: readonly string[], windowMs: number): Promise<Measured> {
  const endUsage = startUsage(redis.pid);
  const endMs = performance.now() + windowMs;
  let count = 0;
  await inFlight(() => {
    if (performance.now() > endMs) return undefined;
    const devices = Array.from({ length: BATCH }, (): DeviceKey => {
      return { app: APP, deviceId: ids[Math.floor(Math.random() * ids.length)] as string };
    });
    count += BATCH;
    return engine.routes.lookup(devices);
  });
  return { ...endUsage(), count };
}

/** Calls `ask` again and again, several at once, until it has nothing more to ask. */
async function inFlight(ask: () => Promise<unknown> | undefined): Promise<void> {
  const one = async () => {
    for (let asked = ask(); asked !== undefined; asked = ask()) await asked;
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
}

/** 16 bytes that look like chance. */
function idOf(i: number): string {
  return createHash('md5').update(String(i)).digest('hex').slice(0, 16);
}

function routeOf(deviceId: string, i: number, uid: string | undefined): NewRoute {
  const connection = { incarnation: NODES[i % NODES.length] as string, worker: i % WORKERS, serial: i + 1 };
  return { app: APP, deviceId, connection, grants: GRANTS, uid };
}

await runAsMain(import.meta, scenario);
