/** What becomes of routes and channels while Redis dies, fails over, moves slots, or forgets. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { EngineUnavailableError, type NewRoute } from '../../../actors/index.js';
import { bucketOf, Keys } from '../../../cluster/engines/redis/keys.js';
import { RedisConnection } from '../../../cluster/engines/redis/redis-connection.js';
import { RedisRoutes } from '../../../cluster/engines/redis/redis-routes.js';
import { slotOf } from '../../../cluster/engines/redis/slot.js';
import type { RedisConfig } from '../../../config/index.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { redisConfig } from '../../support/redis-config.js';
import { RedisSentinel } from '../../support/redis-sentinel.js';
import { RedisServer } from '../../support/redis-server.js';

const NODE = '00000000000000aa';
const DEVICES = Array.from({ length: 300 }, (_, i) => ({ app: 'demo', deviceId: `device-${i}` }));

interface Store {
  readonly config: RedisConfig;
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly routes: RedisRoutes;
  readonly messages: string[];
}

async function openStore(t: ExecutionContext, config: RedisConfig): Promise<Store> {
  const connection = await RedisConnection.open(config);
  t.teardown(() => connection.close());
  const messages: string[] = [];
  connection.onMessage = (channel, message) => messages.push(`${channel} ${message}`);
  const keys = new Keys(config.prefix);
  return { config, connection, keys, routes: new RedisRoutes(connection, keys), messages };
}

function route(device: { app: string; deviceId: string }, serial: number, uid?: string): NewRoute {
  return { ...device, connection: { incarnation: NODE, worker: 0, serial }, grants: [1], uid };
}

/** Asks until the engine is back; whatever it says meanwhile has to be that it is away. */
async function eventually<T>(t: ExecutionContext, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof EngineUnavailableError)) t.fail(inspect(error));
      await sleep(20);
    }
  }
}

/** Publishes until somebody hears it. */
async function heard(t: ExecutionContext, { connection, messages }: Store, channel: string): Promise<void> {
  const before = messages.length;
  // What is handed to a connection that breaks is lost, so one message does not prove it.
  while (messages.length === before) {
    await eventually(t, () => connection.call('spublish', channel, 'x'));
    await sleep(20);
  }
}

test('redis routes: an emptied Redis numbers above what it numbered before, and lists what came since', async (t) => {
  const server = await RedisServer.start();
  t.teardown(() => server.stop());
  const store = await openStore(t, redisConfig('standalone', [server.address]));
  const before = await store.routes.claim(DEVICES.map((device) => route(device, 1)));
  await server.kill();
  await server.startAgain();
  const [after] = await eventually(t, () => store.routes.claim([route(DEVICES[0] as never, 2)]));
  t.is(after?.replaced, undefined);
  t.true((after?.fence ?? 0) > Math.max(...before.map(({ fence }) => fence)));
  t.is((await store.routes.list({ limit: 10 })).routes.length, 1);
  const old = DEVICES.map((device, i) => ({ ...route(device, 1), fence: before[i]?.fence ?? 0, sinceMs: 0 }));
  const restored = await store.routes.restore(old);
  t.deepEqual(
    restored.map(({ stands }) => stands),
    DEVICES.map((_, i) => i > 0),
  );
});

test('redis routes: an entry of a user that has no route is found out and taken away', async (t) => {
  const server = await RedisServer.start();
  t.teardown(() => server.stop());
  const { routes, keys, connection } = await openStore(t, redisConfig('standalone', [server.address]));
  await routes.claim(DEVICES.slice(0, 3).map((device) => route(device, 1, 'u')));
  const { routes: listed } = await routes.list({ limit: 10 });
  // As after a crash between the two writes.
  for (const key of await server.ask((redis) => redis.keys('*{r*'))) await connection.call('del', key);
  const entry = () => connection.call('hget', keys.users('demo', 'u'), 'u');
  t.is(listed.length, 3);
  t.true(((await entry()) as Buffer).length > 0);
  t.deepEqual(await routes.lookupUsers('demo', ['u']), [[]]);
  t.is(await entry(), null);
});

test('redis cluster: slots that move are followed, by batches, single keys and channels', async (t) => {
  const cluster = await RedisCluster.start();
  t.teardown(() => cluster.stop());
  const store = await openStore(t, redisConfig('cluster', cluster.addresses));
  const { routes, keys, connection } = store;
  await routes.claim(DEVICES.map((device) => route(device, 1)));
  await connection.subscribe('{a}');
  const moved = (await routes.list({ limit: 1 })).routes[0];
  const movedKey = keys.routes('demo', bucketOf(moved?.deviceId ?? ''));
  const from = await cluster.ownerOf(slotOf(movedKey));
  await from.ask((redis) => redis.del(movedKey));
  const to = cluster.primaries.find((server) => server !== from) as RedisServer;
  await cluster.giveSlot(slotOf(movedKey), to);
  const found = await routes.lookup(DEVICES);
  t.true(found.filter((each) => each === undefined).length < 5, 'only what was in the slot is gone');
  const again = await routes.claim(DEVICES.map((device) => route(device, 2)));
  t.true(
    again.every(({ replaced }) => replaced === undefined || replaced.connection.serial === 1),
    'claimed once each',
  );
  t.true((await routes.lookup(DEVICES)).every((each) => each?.connection.serial === 2));
  t.is((await routes.list({ limit: 1_000 })).routes.length, DEVICES.length);
  const channelFrom = await cluster.ownerOf(slotOf('{a}'));
  await cluster.giveSlot(slotOf('{a}'), cluster.primaries.find((server) => server !== channelFrom) as RedisServer);
  await heard(t, store, '{a}');
  t.is(await connection.call('get', keys.apps()).catch(() => 'wrong type'), 'wrong type');
});

test('redis cluster: the death of a primary is over when its replica takes its place', async (t) => {
  const cluster = await RedisCluster.start({ replicas: 1 });
  t.teardown(() => cluster.stop());
  const store = await openStore(t, redisConfig('cluster', cluster.addresses, { commandTimeoutMs: 1_000 }));
  const before = await store.routes.claim(DEVICES.map((device) => route(device, 1)));
  const owner = await cluster.ownerOf(slotOf('{a}'));
  await store.connection.subscribe('{a}');
  await owner.kill();
  const error = await store.connection.call('get', '{a}').then(
    () => undefined,
    (failure: unknown) => failure,
  );
  t.true(error instanceof EngineUnavailableError, inspect(error));
  await heard(t, store, '{a}');
  const after = await eventually(t, () => store.routes.claim(DEVICES.map((device) => route(device, 2))));
  t.true(after.every(({ fence }, i) => fence > (before[i]?.fence ?? 0)));
  t.true((await store.routes.lookup(DEVICES)).every((each) => each?.connection.serial === 2));
});

test('redis cluster: a primary without a replica that comes back is taken up again', async (t) => {
  const cluster = await RedisCluster.start();
  t.teardown(() => cluster.stop());
  const store = await openStore(t, redisConfig('cluster', cluster.addresses, { commandTimeoutMs: 1_000 }));
  const owner = await cluster.ownerOf(slotOf('{a}'));
  await store.connection.subscribe('{a}');
  await owner.kill();
  const error = await store.connection.call('get', '{a}').then(
    () => undefined,
    (failure: unknown) => failure,
  );
  t.true(error instanceof EngineUnavailableError, inspect(error));
  await owner.startAgain();
  await heard(t, store, '{a}');
  await eventually(t, () => store.routes.claim(DEVICES.map((device) => route(device, 2))));
  t.true((await store.routes.lookup(DEVICES)).every((each) => each?.connection.serial === 2));
});

test('redis with Sentinel: after a failover commands and channels are at the new primary', async (t) => {
  const sentinel = await RedisSentinel.start();
  t.teardown(() => sentinel.stop());
  const store = await openStore(t, redisConfig('sentinel', [sentinel.address], { commandTimeoutMs: 1_000 }));
  const before = await store.routes.claim(DEVICES.map((device) => route(device, 1)));
  await store.connection.subscribe('{a}');
  await sentinel.failOver();
  const after = await eventually(t, () => store.routes.claim(DEVICES.map((device) => route(device, 2))));
  t.true(after.every(({ fence }, i) => fence > (before[i]?.fence ?? 0)));
  await heard(t, store, '{a}');
});
