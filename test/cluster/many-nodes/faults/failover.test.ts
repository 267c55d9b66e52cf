/** The primary of a Sentinel set and of a Cluster dies while pushes are on their way. */
import test, { type ExecutionContext } from 'ava';
import type { ConfigInput } from '../../../../config/index.js';
import { allReachable, startBusy, truthful } from '../../../support/busy-cluster.js';
import { RedisCluster } from '../../../support/redis-cluster.js';
import { RedisSentinel } from '../../../support/redis-sentinel.js';
import { ms } from '../../../support/test-cluster.js';

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
  const busy = await startBusy(t, engine);
  const struckMs = performance.now();
  await strike();
  const promotedMs = performance.now() - struckMs;
  await allReachable(busy.cluster);
  const backMs = performance.now() - struckMs;
  await busy.cluster.joined();
  await busy.load.stop();
  t.is(busy.offlines.length, 0, 'connections stay');
  await truthful(t, busy);
  t.log(`struck: ${ms(promotedMs)}; every device reached again through both nodes after ${ms(backMs)}`);
}
