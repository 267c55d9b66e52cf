/** Groups, bus and membership over what a Redis can do to them. Each test has servers of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { EngineUnavailableError } from '../../../actors/index.js';
import type { Engine } from '../../../cluster/engines/contract/index.js';
import { Channels } from '../../../cluster/engines/redis/channels.js';
import { Keys } from '../../../cluster/engines/redis/keys.js';
import { RedisBus } from '../../../cluster/engines/redis/redis-bus.js';
import { RedisConnection } from '../../../cluster/engines/redis/redis-connection.js';
import { slotOf } from '../../../cluster/engines/redis/slot.js';
import type { RedisConfig } from '../../../config/index.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { redisConfig } from '../../support/redis-config.js';
import { RedisSentinel } from '../../support/redis-sentinel.js';
import { RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { receive } from './bus-suite.js';
import { bytesOf, createRedisEngines, NODE, nodeRecord, OTHER_NODE, textOf } from './under-test.js';

const LONG_MS = 600_000;
/** Where a command has to fail; long enough for the others on a busy machine. */
const COMMAND_TIMEOUT_MS = 1_500;

test('redis emptied: a node is new at its next renewal, a group is gone', async (t) => {
  const { server, one } = await createNodes(t);
  await one.membership.renew(nodeRecord(NODE), LONG_MS);
  await one.groups.create(1, 'room');
  await server.ask((redis) => redis.flushall());
  t.deepEqual(await one.membership.list(), []);
  t.is((await one.membership.renew(nodeRecord(NODE), LONG_MS)).own, 'new');
  t.deepEqual(await one.groups.setSizes(NODE, [{ businessId: 1, group: 'room', members: 2 }]), [
    { businessId: 1, group: 'room', members: 2 },
  ]);
  t.deepEqual((await one.groups.list(1, { limit: 10 })).groups, []);
});

test('redis that does not answer: asking fails in time, as what may have arrived, and works again', async (t) => {
  const { server, one, other } = await createNodes(t, { commandTimeoutMs: COMMAND_TIMEOUT_MS });
  const received = await receive(other.bus, OTHER_NODE);
  await one.groups.create(1, 'room');
  server.pause();
  const asked = [
    one.bus.send(OTHER_NODE, bytesOf('lost or late')),
    one.bus.multicast(1, 'room', bytesOf('lost or late')),
    one.membership.renew(nodeRecord(NODE), LONG_MS),
    one.groups.get(1, 'room'),
  ];
  for (const asking of asked) {
    const error = await t.throwsAsync<EngineUnavailableError>(asking, { instanceOf: EngineUnavailableError });
    t.true(error?.mayHaveArrived);
  }
  server.resume();
  await untilDone(() => one.bus.send(OTHER_NODE, bytesOf('after')));
  await until(() => received.messages.map(textOf).includes('after'));
  t.not(await untilDone(() => one.membership.renew(nodeRecord(NODE), LONG_MS)), undefined);
  t.not(await one.groups.get(1, 'room'), undefined);
});

test('redis that pauses its clients for a moment: nothing but the time is lost', async (t) => {
  const { server, one, other } = await createNodes(t);
  const received = await receive(other.bus, OTHER_NODE);
  await server.ask((redis) => redis.call('client', 'pause', 300, 'all'));
  t.true(await one.bus.send(OTHER_NODE, bytesOf('a')));
  t.is((await one.membership.renew(nodeRecord(NODE), LONG_MS)).own, 'new');
  await until(() => received.messages.length === 1);
});

test('redis killed and started again: messages, multicasts and changes arrive as before', async (t) => {
  const { server, one, other } = await createNodes(t);
  const received = await receive(other.bus, OTHER_NODE);
  await one.groups.create(1, 'room');
  await other.bus.listen(1, 'room');
  let changes = 0;
  other.membership.onChange(() => {
    changes += 1;
  });
  await server.kill();
  const error = await t.throwsAsync<EngineUnavailableError>(
    untilFailure(() => one.bus.send(OTHER_NODE, bytesOf('nowhere'))),
    { instanceOf: EngineUnavailableError },
  );
  t.is(error?.code, 'TRK_ENGINE_UNAVAILABLE');
  await server.startAgain();
  await until(() => changes > 0);
  await untilDone(() => one.bus.send(OTHER_NODE, bytesOf('again')));
  await until(() => received.messages.length > 0);
  t.deepEqual(received.messages.map(textOf), ['again']);
  await untilDone(() => one.groups.create(1, 'room'));
  await untilDone(async () => (await one.bus.multicast(1, 'room', bytesOf('m')))?.receivers === 1);
  await until(() => received.multicasts.length === 1);
  const before = changes;
  await one.membership.announceChange();
  await until(() => changes > before);
});

test.serial('sentinel failover: messages and multicasts arrive by the new primary', async (t) => {
  const servers = await RedisSentinel.start();
  t.teardown(() => servers.stop());
  const [one, other] = await createPair(t, redisConfig('sentinel', [servers.address], { commandTimeoutMs: 1_000 }));
  const received = await receive(other.bus, OTHER_NODE);
  await one.groups.create(1, 'room');
  await other.bus.listen(1, 'room');
  await one.membership.renew(nodeRecord(NODE), LONG_MS);
  t.true(await one.bus.send(OTHER_NODE, bytesOf('before')));
  await replicated(servers.primary);
  await servers.failOver();
  await untilDone(() => one.bus.send(OTHER_NODE, bytesOf('after')));
  await until(() => received.messages.length === 2);
  await untilDone(async () => (await one.bus.multicast(1, 'room', bytesOf('m')))?.receivers === 1);
  await until(() => received.multicasts.length === 1);
  t.is(
    (await untilDone(() => one.membership.renew(nodeRecord(NODE), LONG_MS)))?.own,
    'renewed',
    'the lease was replicated',
  );
});

test.serial(
  'cluster slot moves while a node is sent to: what is said to have arrived has, in order, and no more',
  async (t) => {
    const servers = await RedisCluster.start();
    t.teardown(() => servers.stop());
    const config = redisConfig('cluster', servers.addresses);
    const [one, other] = await createPair(t, config);
    const received = await receive(other.bus, OTHER_NODE);
    const slot = slotOf(new Keys(config.prefix).node(OTHER_NODE));
    const taken: string[] = [];
    let refused = 0;
    let sent = 0;
    let isMoving = true;
    const sending = (async () => {
      while (isMoving || sent < 500) {
        const texts = Array.from({ length: 5 }, () => `message ${sent++}`);
        const results = await Promise.all(
          texts.map((text) => one.bus.send(OTHER_NODE, bytesOf(text)).catch(neverLeft)),
        );
        results.forEach((isTaken, i) => {
          if (isTaken) taken.push(texts[i] as string);
          else refused += 1;
        });
        await sleep(2);
      }
    })();
    for (let i = 0; i < 6; i++) {
      await servers.giveSlot(slot, servers.primaries[i % 3] as RedisServer);
      await sleep(150);
    }
    isMoving = false;
    await sending;
    await untilDone(() => one.bus.send(OTHER_NODE, bytesOf('last')));
    await until(() => received.messages.map(textOf).at(-1) === 'last');
    t.deepEqual(received.messages.map(textOf), [...taken, 'last']);
    t.log(`${sent} sent, ${refused} of them to nobody`);
    t.true(taken.length > sent / 2);
  },
);

test.serial('cluster primary killed: its replica takes over, and so do the subscriptions', async (t) => {
  const servers = await RedisCluster.start({ replicas: 1 });
  t.teardown(() => servers.stop());
  const config = redisConfig('cluster', servers.addresses, { commandTimeoutMs: 1_000 });
  const [one, other] = await createPair(t, config);
  const received = await receive(other.bus, OTHER_NODE);
  await one.groups.create(1, 'room');
  await other.bus.listen(1, 'room');
  const keys = new Keys(config.prefix);
  const owner = await servers.ownerOf(slotOf(keys.node(OTHER_NODE)));
  await replicated(owner);
  await owner.kill();
  await untilDone(() => one.bus.send(OTHER_NODE, bytesOf('after')));
  await until(() => received.messages.length > 0);
  await untilDone(async () => (await one.bus.multicast(1, 'room', bytesOf('m')))?.receivers === 1);
  await until(() => received.multicasts.length > 0);
  t.pass();
});

test('a bus that cannot get rid of what it has takes no more, and says that it never left', async (t) => {
  const server = await RedisServer.start();
  t.teardown(() => server.stop());
  const config = redisConfig('standalone', [server.address], { commandTimeoutMs: COMMAND_TIMEOUT_MS });
  const connection = await RedisConnection.open(config);
  t.teardown(() => connection.close());
  const bus = new RedisBus(connection, new Channels(connection), new Keys(config.prefix), { maxPendingBytes: 1_000 });
  const { messages } = await receive(bus, NODE);
  server.pause();
  const waiting = [bus.send(NODE, new Uint8Array(600)), bus.multicast(1, 'room', new Uint8Array(600))];
  const error = await t.throwsAsync<EngineUnavailableError>(bus.send(NODE, new Uint8Array(1)));
  t.false(error?.mayHaveArrived);
  for (const each of waiting) await t.throwsAsync(each, { instanceOf: EngineUnavailableError });
  server.resume();
  await untilDone(() => bus.send(NODE, bytesOf('room again')));
  await until(() => messages.map(textOf).includes('room again'));
});

test('a name without a group is dropped when it is listed, a group without a name has one when it is created', async (t) => {
  const { server, one, keys } = await createNodes(t);
  await one.groups.create(1, 'b');
  await server.ask((redis) => redis.call('zadd', keys.groupNames(1), '0', 'a', '0', 'c'));
  t.deepEqual(
    (await one.groups.list(1, { limit: 2 })).groups.map(({ group }) => group),
    ['b'],
  );
  t.deepEqual(await server.ask((redis) => redis.call('zrange', keys.groupNames(1), '0', '-1')), ['b', 'c']);
  await server.ask((redis) => redis.del(keys.groupNames(1)));
  t.deepEqual(await one.groups.list(1, { limit: 2 }), { groups: [] });
  t.false(await one.groups.create(1, 'b'));
  t.is((await one.groups.list(1, { limit: 2 })).groups.length, 1);
});

test('a group that ends leaves nothing in Redis, nor do sizes that come too late', async (t) => {
  const { server, one } = await createNodes(t);
  const sizes = [{ businessId: 1, group: 'room', members: 2 }];
  await one.groups.create(1, 'room');
  await one.groups.setSizes(NODE, sizes);
  await one.groups.dissolve(1, 'room');
  t.deepEqual(await one.groups.setSizes(NODE, sizes), sizes);
  t.deepEqual(await server.ask((redis) => redis.keys('*')), []);
});

test.serial('the clocks of nodes do not matter to leases', async (t) => {
  const { one, other } = await createNodes(t);
  const now = Date.now;
  t.teardown(() => {
    Date.now = now;
  });
  Date.now = () => now() + 3_600_000;
  await one.membership.renew(nodeRecord(NODE, { startedAtMs: Date.now() }), 60_000);
  Date.now = () => now() - 3_600_000;
  const [lease] = (await other.membership.renew(nodeRecord(OTHER_NODE), 60_000)).nodes.filter(
    ({ record }) => record.incarnation === NODE,
  );
  t.true((lease?.leftMs ?? 0) > 30_000 && (lease?.leftMs ?? 0) <= 60_000);
});

async function createNodes(t: ExecutionContext, over: Partial<RedisConfig> = {}) {
  const server = await RedisServer.start();
  t.teardown(() => server.stop());
  const config = redisConfig('standalone', [server.address], over);
  const [one, other] = await createPair(t, config);
  return { server, one, other, keys: new Keys(config.prefix) };
}

async function createPair(t: ExecutionContext, config: RedisConfig): Promise<[Engine, Engine]> {
  return (await createRedisEngines(t, 2, config)) as [Engine, Engine];
}

/** Replication is asynchronous: what the primary has not passed on dies with it. */
async function replicated(primary: RedisServer): Promise<void> {
  await primary.ask((redis) => redis.wait(1, 10_000));
}

function neverLeft(error: unknown): false {
  if (error instanceof EngineUnavailableError && !error.mayHaveArrived) return false;
  throw error;
}

/** Asks until there is an answer other than `false`, over whatever failures. */
async function untilDone<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      if (!(error instanceof EngineUnavailableError)) throw error;
      return undefined;
    });
    if (answer !== undefined && answer !== false) return answer;
    await sleep(10);
  }
}

/** Asks until it fails: that a server has gone is seen only then. */
async function untilFailure(ask: () => Promise<unknown>): Promise<never> {
  for (;;) {
    await ask();
    await sleep(10);
  }
}
