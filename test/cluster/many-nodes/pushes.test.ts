/** Two nodes and a Redis, undisturbed: whatever enters at one reaches what hangs on the other. */
import test from 'ava';
import { Receipts } from '../../support/receipts.js';
import { engineAt, eventually, PATIENT_MS, startRedis, TestCluster } from '../../support/test-cluster.js';

test.serial('many nodes: pushes, presence, calls and users cross from node to node', async (t) => {
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, {
    engine: { ...engineAt(redis.address), commandTimeoutMs: PATIENT_MS },
    size: 2,
  });
  const [near, far] = cluster.nodes as [(typeof cluster.nodes)[0], (typeof cluster.nodes)[0]];
  const receipts = new Receipts();
  const ada = await cluster.online('ada', { to: [near], uid: 'u-1' });
  receipts.watch('ada', ada);
  ada.business('im').onRequest('ask', async () => ({ payload: 'an answer' }));
  const backEnd = far.backEnd();

  t.like(await backEnd.pushToDevice('ada', { payload: 'hello', messageId: 'm-1' }), { result: 'delivered' });
  t.like(await backEnd.pushToDevice('nobody', { payload: 'hello' }), { result: 'offline' });
  const { results } = await backEnd.pushToDevices(['ada', 'nobody'], { payload: 'hello', messageId: 'm-2' });
  t.deepEqual(
    results.map(({ result }) => result),
    ['delivered', 'offline'],
  );
  const { devices } = await backEnd.pushToUser('u-1', { payload: 'hello', messageId: 'm-3' });
  t.like(devices[0], { device: 'ada', result: 'delivered' });
  t.like(await backEnd.broadcast({ payload: 'hello', messageId: 'm-4' }), { devices: 1 });
  await eventually(() => receipts.held === 4);
  t.like(await backEnd.presence('ada'), { online: true, uid: 'u-1' });
  const answer = await backEnd.callDevice('ada', { method: 'ask' });
  t.is(Buffer.from(answer.payload).toString(), 'an answer');
});

test.serial('many nodes: a newer login on another node ends the older one, and only that', async (t) => {
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, {
    engine: { ...engineAt(redis.address), commandTimeoutMs: PATIENT_MS },
    size: 2,
  });
  const [near, far] = cluster.nodes as [(typeof cluster.nodes)[0], (typeof cluster.nodes)[0]];
  const older = await cluster.online('ada', { to: [near] });
  const receipts = new Receipts();
  const newer = await cluster.online('ada', { to: [far] });
  receipts.watch('ada', newer);
  await eventually(() => older.state === 'closed');
  t.is(newer.state, 'online');
  t.like(await near.backEnd().pushToDevice('ada', { payload: 'hello', messageId: 'm-1' }), { result: 'delivered' });
  await eventually(() => receipts.timesGot('ada', 'm-1') === 1);
});

test.serial('many nodes: a group spans nodes, a multicast reaches each member once, in order', async (t) => {
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, {
    engine: { ...engineAt(redis.address), commandTimeoutMs: PATIENT_MS },
    size: 3,
  });
  const offsets = new Map<string, number[]>();
  const backEnd = (cluster.nodes[0] as (typeof cluster.nodes)[0]).backEnd();
  await backEnd.createGroup('room-1');
  for (const [index, node] of [...cluster.nodes, ...cluster.nodes].entries()) {
    const deviceId = `member-${index}`;
    const client = await cluster.online(deviceId, { to: [node] });
    offsets.set(deviceId, []);
    client.business('im').onPush(({ offset }) => offsets.get(deviceId)?.push(offset ?? -1));
    await client.business('im').join('room-1');
  }
  await eventually(async () => (await backEnd.groupInfo('room-1'))?.members === 6);
  const answers = [];
  for (let i = 0; i < 20; i++) answers.push(await backEnd.pushToGroup('room-1', { payload: `${i}` }));
  t.true(answers.every(({ members, unanswered }) => members === 6 && unanswered === 0));
  const sent = answers.map(({ offset }) => offset);
  await eventually(() => [...offsets.values()].every((got) => got.length >= 20));
  for (const got of offsets.values()) t.deepEqual(got, sent);
});
