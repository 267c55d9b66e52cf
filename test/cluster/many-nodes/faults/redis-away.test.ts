/** Redis goes for everybody: it hangs, it comes back empty, it is slow. Connections stay, and no result is a lie. */
import test, { type ExecutionContext } from 'ava';
import { allEvents } from '../../../sdk/client-fixture.js';
import { PushLoad } from '../../../support/push-load.js';
import { Receipts } from '../../../support/receipts.js';
import {
  type ClusterNode,
  engineAt,
  eventually,
  PATIENT_MS,
  sleep,
  startRedis,
  TestCluster,
} from '../../../support/test-cluster.js';

const LEASE_MS = 2_000;
const DEVICES = 40;

/** What a back-end is told over HTTP while Redis is away. */
const AWAY = 'TRK_ENGINE_UNAVAILABLE';

test.serial('many nodes: Redis hangs for all and wakes', async (t) => {
  const { redis, cluster, receipts, load, offlines, connectionIds } = await startBusy(t);
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
  t.is(offlines.length, 0);
  t.true(refused > 0 || (receipts.counts().dropped ?? 0) + (receipts.counts().unknown ?? 0) > 0);
  await truthful(t, receipts, load);
  t.log(`everything delivered again ${Math.round(backMs)} ms after it woke`);
});

test.serial('many nodes: Redis dies for all and comes back empty', async (t) => {
  const { redis, cluster, receipts, load, offlines, connectionIds } = await startBusy(t);
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
  t.is(offlines.length, 0);

  // Numbers go on growing, so that a login after it wins over what is older.
  t.is((await first.backEnd().presence('device-0')).sinceMs, since);
  await cluster.online('device-0', { to: [second] });
  t.true(((await first.backEnd().presence('device-0')).sinceMs ?? 0) > since);
  t.is(group.members, 0);
  await truthful(t, receipts, load);
  t.log(`every route back ${Math.round(backMs)} ms after it started empty`);
});

test.serial('many nodes: a Redis that answers slowly delays and does not lie', async (t) => {
  const { redis, cluster, receipts, load, offlines, connectionIds } = await startBusy(t, {
    commandTimeoutMs: PATIENT_MS,
    leaseMs: 3 * PATIENT_MS,
  });
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
  t.is(offlines.length, 0);
  await truthful(t, receipts, load);
  t.log('pushes while every command took up to 400 ms', tookMs);
});

/** Two nodes with devices, and pushes that do not stop, each from the node that the device is not on. */
async function startBusy(t: ExecutionContext, { commandTimeoutMs = 1_000, leaseMs = LEASE_MS } = {}) {
  const redis = await startRedis(t);
  const engine = { ...engineAt(redis.address), commandTimeoutMs };
  const cluster = await TestCluster.start(t, { engine, size: 2, leaseMs });
  const receipts = new Receipts();
  const clients = await Promise.all(
    Array.from({ length: DEVICES }, async (_, i) => {
      const client = await cluster.online(`device-${i}`, { to: [cluster.nodes[i % 2] as ClusterNode] });
      receipts.watch(`device-${i}`, client);
      return client;
    }),
  );
  const offlines = clients.map((client) => allEvents(client, 'offline'));
  const backEnds = cluster.nodes.map((node) => node.backEnd());
  const devices = clients.map((_, i) => `device-${i}`);
  const load = new PushLoad(t, { receipts, devices, through: () => backEnds });
  await eventually(() => receipts.held > 50);
  const connectionIds = async () => {
    const present = await (backEnds[0] as (typeof backEnds)[0]).presence(devices);
    return present.map(({ connectionId }) => connectionId);
  };
  return {
    redis,
    cluster,
    receipts,
    load,
    connectionIds,
    get offlines() {
      return offlines.flat();
    },
  };
}

/** Resolves when each node reaches every device. */
async function allReachable(cluster: TestCluster): Promise<void> {
  const devices = Array.from({ length: DEVICES }, (_, i) => `device-${i}`);
  for (const node of cluster.nodes) {
    const backEnd = node.backEnd();
    await eventually(async () => {
      const { results } = await backEnd.pushToDevices(devices, { payload: 'there?' }).catch(() => ({ results: [] }));
      return results.length > 0 && results.every(({ result }) => result === 'delivered');
    });
  }
}

async function truthful(t: ExecutionContext, receipts: Receipts, load: PushLoad): Promise<void> {
  await sleep(500);
  t.deepEqual(receipts.missing(), [], 'reported delivered, and not there');
  t.deepEqual(receipts.unexpected(), [], 'reported as not delivered, and there');
  t.deepEqual(receipts.repeated(), []);
  t.deepEqual(
    [...load.refusals.keys()].filter((code) => code !== AWAY),
    [],
  );
  t.log('results', receipts.counts(), 'refused', load.refused, 'of', load.sent);
}
