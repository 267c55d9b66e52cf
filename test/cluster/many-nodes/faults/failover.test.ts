/** The primary of a Sentinel set and of a Cluster dies while pushes are on their way. */
import test, { type ExecutionContext } from 'ava';
import type { ConfigInput } from '../../../../config/index.js';
import { allEvents } from '../../../sdk/client-fixture.js';
import { PushLoad } from '../../../support/push-load.js';
import { Receipts } from '../../../support/receipts.js';
import { RedisCluster } from '../../../support/redis-cluster.js';
import { RedisSentinel } from '../../../support/redis-sentinel.js';
import { type ClusterNode, eventually, ms, sleep, TestCluster } from '../../../support/test-cluster.js';

const DEVICES = 40;

test.serial('many nodes: a Sentinel failover during pushes', async (t) => {
  const sentinel = await RedisSentinel.start();
  t.teardown(() => sentinel.stop());
  await survive(t, { type: 'redis', mode: 'sentinel', addresses: [sentinel.address] }, () => sentinel.failOver());
});

test.serial('many nodes: the death of a Cluster primary during pushes', async (t) => {
  const redis = await RedisCluster.start({ replicas: 1 });
  t.teardown(() => redis.stop());
  const [first] = redis.primaries;
  await survive(t, { type: 'redis', mode: 'cluster', addresses: redis.addresses }, async () => first?.kill());
});

async function survive(
  t: ExecutionContext,
  engine: NonNullable<ConfigInput['engine']>,
  strike: () => Promise<unknown>,
): Promise<void> {
  const cluster = await TestCluster.start(t, { engine, size: 2 });
  const receipts = new Receipts();
  const clients = await Promise.all(
    Array.from({ length: DEVICES }, async (_, i) => {
      const client = await cluster.online(`device-${i}`, { to: [cluster.nodes[i % 2] as ClusterNode] });
      receipts.watch(`device-${i}`, client);
      return client;
    }),
  );
  const ends = clients.map((client) => allEvents(client, 'offline'));
  const backEnds = cluster.nodes.map((node) => node.backEnd());
  const devices = clients.map((_, i) => `device-${i}`);
  const load = new PushLoad(t, { receipts, devices, through: () => backEnds });
  await eventually(() => receipts.held > 100);

  const struckMs = performance.now();
  await strike();
  const promotedMs = performance.now() - struckMs;
  for (const backEnd of backEnds) {
    await eventually(async () => {
      const { results } = await backEnd.pushToDevices(devices, { payload: 'there?' }).catch(() => ({ results: [] }));
      return results.length > 0 && results.every(({ result }) => result === 'delivered');
    });
  }
  const backMs = performance.now() - struckMs;
  await cluster.joined();
  await load.stop();
  await sleep(500);

  t.is(ends.flat().length, 0, 'connections stay');
  t.deepEqual(receipts.missing(), [], 'reported delivered, and not there');
  t.deepEqual(receipts.unexpected(), [], 'reported as not delivered, and there');
  t.deepEqual(receipts.repeated(), []);
  t.deepEqual(
    [...load.refusals.keys()].filter((code) => code !== 'TRK_ENGINE_UNAVAILABLE'),
    [],
  );
  t.log(`struck: ${ms(promotedMs)}; every device reached again through both nodes after ${ms(backMs)}`);
  t.log('results', receipts.counts(), 'refused', load.refused, 'of', load.sent);
}
