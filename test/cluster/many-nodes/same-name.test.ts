/** A name is one node's: the second that comes with it is refused, and one that died gives it free when its lease lapses. */
import test from 'ava';
import { engineAt, eventually, startRedis, TestCluster } from '../../support/test-cluster.js';

test.serial('many nodes: of two nodes with the same configured name the second does not start', async (t) => {
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, { engine: engineAt(redis.address), size: 2 });
  const [first, other] = cluster.nodes;
  if (first === undefined || other === undefined) return t.fail();
  const ada = await cluster.online('ada', { to: [first] });
  const refusal = await t.throwsAsync(cluster.add({ name: first.name }));
  t.regex(refusal.message, /TRK_NODE_NAME_TAKEN/);
  t.regex(refusal.message, new RegExp(first.tcp), 'says who has it');
  t.is(ada.state, 'online');
  t.like(await other.backEnd().pushToDevice('ada', { payload: 'hello' }), { result: 'delivered' });
});

test.serial('many nodes: a node that was killed starts again under its name', async (t) => {
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, { engine: engineAt(redis.address), size: 2 });
  const [first, other] = cluster.nodes;
  if (first === undefined || other === undefined) return t.fail();
  await cluster.online('ada', { to: [first] });
  await first.kill();
  cluster.nodes.splice(0, 1);
  const again = await cluster.add({ name: first.name });
  await cluster.joined();
  const backEnd = other.backEnd();
  await eventually(async () => !(await backEnd.presence('nobody')).online);
  const bob = await cluster.online('bob', { to: [again] });
  t.is(bob.state, 'online');
  t.like(await backEnd.pushToDevice('bob', { payload: 'hello' }), { result: 'delivered' });
});
