/** A node that hangs, every thread of it, and wakes when the others have long given it up. */
import test from 'ava';
import { allEvents } from '../../../sdk/client-fixture.js';
import { PushLoad } from '../../../support/push-load.js';
import { Receipts } from '../../../support/receipts.js';
import {
  type ClusterNode,
  engineAt,
  eventually,
  ms,
  sleep,
  startRedis,
  TestCluster,
} from '../../../support/test-cluster.js';

test.serial('many nodes: a node that hangs and wakes sends its clients away and serves again', async (t) => {
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, { engine: engineAt(redis.address), size: 2 });
  const [stalled, other] = cluster.nodes as [ClusterNode, ClusterNode];
  const receipts = new Receipts();
  const client = await cluster.online('ada', { to: [stalled, other] });
  receipts.watch('ada', client);
  const goaways = allEvents(client, 'goaway');
  const backEnd = other.backEnd();
  const load = new PushLoad(t, { receipts, devices: ['ada'], through: () => [backEnd], callers: 4 });
  await eventually(() => receipts.held > 20);

  stalled.signal('SIGSTOP');
  const stalledMs = performance.now();
  await eventually(async () => !(await backEnd.presence('ada')).online);
  const offlineMs = performance.now() - stalledMs;
  await eventually(async () => (await other.stateOf(stalled)) === 'gone');
  stalled.signal('SIGCONT');
  const wokeMs = performance.now();
  await eventually(() => goaways.length > 0);
  await cluster.joined();
  const backMs = performance.now() - wokeMs;
  await eventually(async () => (await backEnd.presence('ada')).online);
  await eventually(async () => (await backEnd.pushToDevice('ada', { payload: 'there?' })).result === 'delivered');
  await load.stop();
  t.like(await stalled.backEnd().pushToDevice('ada', { payload: 'through the one that woke' }), {
    result: 'delivered',
  });
  await sleep(500);
  t.deepEqual(receipts.missing(), [], 'reported delivered, and not there');
  t.deepEqual(receipts.unexpected(), [], 'reported as not delivered, and there');
  t.deepEqual(receipts.repeated(), []);
  t.log(`offline after ${ms(offlineMs)}; registered again ${ms(backMs)} after it woke`);
  t.log('results', receipts.counts());
});
