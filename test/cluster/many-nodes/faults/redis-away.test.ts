/** Redis goes for everybody: it hangs, it comes back empty, it is slow. Connections stay, and no result is a lie. */
import test, { type ExecutionContext } from 'ava';
import { AWAY, allReachable, startBusy, truthful } from '../../../support/busy-cluster.js';
import { type ClusterNode, engineAt, PATIENT_MS, sleep, startRedis } from '../../../support/test-cluster.js';

const LEASE_MS = 2_000;

test.serial('many nodes: Redis hangs for all and wakes', async (t) => {
  const { redis, busy } = await startOnRedis(t);
  const { cluster, load, connectionIds } = busy;
  const before = await connectionIds();
  redis.pause();
  // Long enough that every lease lapses.
  await sleep(3 * LEASE_MS);
  const refused = load.refused;
  redis.resume();
  const wokeMs = performance.now();
  await cluster.joined();
  await allReachable(cluster);
  const backMs = performance.now() - wokeMs;
  await load.stop();

  t.deepEqual(await connectionIds(), before, 'nobody had to connect again');
  t.is(busy.offlines.length, 0);
  const { receipts } = busy;
  t.true(refused > 0 || (receipts.counts().dropped ?? 0) + (receipts.counts().unknown ?? 0) > 0);
  await truthful(t, busy);
  t.log(`everything delivered again ${Math.round(backMs)} ms after it woke`);
});

test.serial('many nodes: Redis dies for all and comes back empty', async (t) => {
  const { redis, busy } = await startOnRedis(t);
  const { cluster, load, connectionIds } = busy;
  const [first, second] = cluster.nodes as [ClusterNode, ClusterNode];
  const before = await connectionIds();
  const since = (await first.backEnd().presence('device-0')).sinceMs ?? 0;
  await first.backEnd().createGroup('room-1');
  const group = await first.backEnd().pushToGroup('room-1', { payload: 'x' });
  await redis.kill();
  await sleep(LEASE_MS);
  const answer = await first.call('GET', '/v1/apps/demo/devices/device-0', { key: 'test-im-key-0123456789' });
  t.is(answer.status, 503);
  t.is(answer.json.code, AWAY);
  t.is(answer.headers['retry-after'], '1');
  t.is((await first.call('GET', '/healthz')).status, 200, 'nobody should restart a node for this');

  await redis.startAgain();
  const startedMs = performance.now();
  await allReachable(cluster);
  const backMs = performance.now() - startedMs;
  await cluster.joined();
  await load.stop();
  t.deepEqual(await connectionIds(), before, 'nobody had to connect again');
  t.is(busy.offlines.length, 0);

  // Numbers go on growing, so that a login after it wins over what is older.
  t.is((await first.backEnd().presence('device-0')).sinceMs, since);
  await cluster.online('device-0', { to: [second] });
  t.true(((await first.backEnd().presence('device-0')).sinceMs ?? 0) > since);
  t.is(group.members, 0);
  await truthful(t, busy);
  t.log(`every route back ${Math.round(backMs)} ms after it started empty`);
});

test.serial('many nodes: a Redis that answers slowly delays and does not lie', async (t) => {
  const { redis, busy } = await startOnRedis(t, {
    commandTimeoutMs: PATIENT_MS,
    leaseMs: 3 * PATIENT_MS,
  });
  const { cluster, load, connectionIds } = busy;
  const before = await connectionIds();
  const backEnd = (cluster.nodes[0] as ClusterNode).backEnd();
  const tookMs: number[] = [];
  for (let i = 0; i < 6; i++) {
    await redis.ask((client) => client.call('client', 'pause', 400, 'all'));
    const startedMs = performance.now();
    t.is((await backEnd.pushToDevice(`device-${i}`, { payload: 'slow' })).result, 'delivered');
    tookMs.push(Math.round(performance.now() - startedMs));
    await sleep(100);
  }
  // Beyond `commandTimeoutMs`, and still within a lease.
  const pauseMs = PATIENT_MS * 1.5;
  await redis.ask((client) => client.call('client', 'pause', pauseMs, 'all'));
  await sleep(pauseMs);
  await allReachable(cluster);
  await load.stop();
  t.deepEqual(await connectionIds(), before, 'nobody had to connect again');
  t.is(busy.offlines.length, 0);
  await truthful(t, busy);
  t.log('pushes while every command took up to 400 ms', tookMs);
});

/** On a Redis of the test's own. */
async function startOnRedis(t: ExecutionContext, { commandTimeoutMs = 1_000, leaseMs = LEASE_MS } = {}) {
  const redis = await startRedis(t);
  const busy = await startBusy(t, { ...engineAt(redis.address), commandTimeoutMs }, leaseMs);
  return { redis, busy };
}
