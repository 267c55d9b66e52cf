/**
 * Nodes in network namespaces whose links are cut: from Redis and back, and from each other only. Devices and back-ends
 * reach them all along, by a link of its own.
 */
import test, { type ExecutionContext } from 'ava';
import { FrameType } from '../../../../protocol/index.js';
import { allEvents } from '../../../sdk/client-fixture.js';
import { TestNetwork } from '../../../support/net-namespace.js';
import { PushLoad } from '../../../support/push-load.js';
import { RawDevice } from '../../../support/raw-device.js';
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

const LEASE_MS = 2_000;

test.serial('many nodes: a node cut off from Redis for less than its lease, and nothing happens', async (t) => {
  const { cluster, cutNode, host, other } = await twoNodes(t);
  const client = await cluster.online('ada', { to: [cutNode] });
  const offlines = allEvents(client, 'offline');
  const goaways = allEvents(client, 'goaway');
  const backEnd = other.backEnd();
  t.like(await backEnd.pushToDevice('ada', { payload: 'before' }), { result: 'delivered' });
  host.cut();
  await sleep(LEASE_MS / 4);
  host.mend();
  await eventually(async () => (await backEnd.pushToDevice('ada', { payload: 'after' })).result === 'delivered');
  t.deepEqual([offlines.length, goaways.length], [0, 0]);
});

test.serial(
  'many nodes: a node cut off from Redis and back sends its clients away, and its old writes count no more',
  async (t) => {
    const { cluster, cutNode, host, other } = await twoNodes(t);
    const receipts = new Receipts();
    const stays = await cluster.online('stays', { to: [cutNode, other] });
    receipts.watch('stays', stays);
    const goaways = allEvents(stays, 'goaway');
    // Two holders of one id: the older one hangs on the node that will not hear of the newer.
    const older = await RawDevice.open(cutNode.tcp);
    t.teardown(() => older.cut());
    await older.login((await cluster.token('moved')).token);
    const backEnd = other.backEnd();
    const cutBackEnd = cutNode.backEnd();
    const load = new PushLoad(t, {
      receipts,
      devices: ['stays', 'moved'],
      through: () => [backEnd, cutBackEnd],
      callers: 4,
    });
    await eventually(() => receipts.held > 20);

    host.cut();
    const cutMs = performance.now();
    await eventually(async () => !(await backEnd.presence('stays')).online);
    const offlineMs = performance.now() - cutMs;
    t.is(stays.state, 'online', 'the link itself is untouched');
    const newer = await cluster.online('moved', { to: [other] });
    receipts.watch('moved', newer);
    await eventually(async () => (await other.stateOf(cutNode)) === 'gone');
    const goneMs = performance.now() - cutMs;
    t.is(goaways.length, 0);
    t.true(older.isOpen);

    host.mend();
    const mendedMs = performance.now();
    await eventually(() => goaways.length > 0);
    const toldMs = performance.now() - mendedMs;
    await cluster.joined();
    const backMs = performance.now() - mendedMs;
    await older.ended;
    for (const frame of older.frames) if (frame.type === FrameType.push) receipts.got('moved', frame.messageId);
    await eventually(async () => (await backEnd.presence('stays')).online);
    await eventually(async () => (await backEnd.presence('moved')).online);
    await load.stop();
    // What the cut-off node held of `moved` neither won over the newer login nor took it away.
    t.is(newer.state, 'online');
    for (const through of [backEnd, cutBackEnd]) {
      for (const device of ['stays', 'moved']) {
        const messageId = `last-${device}-${through === backEnd}`;
        receipts.told(device, messageId, await through.pushToDevice(device, { payload: 'x', messageId }));
        t.like(await through.pushToDevice(device, { payload: 'x' }), { result: 'delivered' });
      }
    }
    await sleep(500);
    t.deepEqual(receipts.missing(), [], 'reported delivered, and not there');
    t.deepEqual(receipts.unexpected(), [], 'reported as not delivered, and there');
    t.true(
      [...load.refusals.keys()].every((code) => code === 'TRK_ENGINE_UNAVAILABLE'),
      [...load.refusals.keys()].join(),
    );
    t.log(`offline elsewhere after ${ms(offlineMs)}, declared gone after ${ms(goneMs)} (lease ${LEASE_MS} ms)`);
    t.log(`mended: clients told to go after ${ms(toldMs)}, registered again after ${ms(backMs)}`);
    t.log('results', receipts.counts(), 'refused', Object.fromEntries(load.refusals));
  },
);

test.serial('many nodes: nodes cut off from each other only notice nothing, for they meet in Redis', async (t) => {
  const { cluster, cutNode, host, other, otherHost } = await twoNodes(t);
  const ada = await cluster.online('ada', { to: [cutNode] });
  const bob = await cluster.online('bob', { to: [other] });
  const receipts = new Receipts();
  receipts.watch('ada', ada);
  receipts.watch('bob', bob);
  t.true(host.reaches(otherHost.innerAddress));
  host.cutFromOthers();
  t.false(host.reaches(otherHost.innerAddress));
  t.false(otherHost.reaches(host.innerAddress));
  await sleep(2 * LEASE_MS);
  for (const [device, through] of [
    ['ada', other],
    ['bob', cutNode],
  ] as const) {
    const answer = await through.backEnd().pushToDevice(device, { payload: 'across', messageId: device });
    t.like(answer, { result: 'delivered' });
  }
  await eventually(() => receipts.held === 2);
  for (const node of cluster.nodes) t.is((await node.peers()).length, 2);
});

async function twoNodes(t: ExecutionContext) {
  const network = TestNetwork.create(t);
  const hosts = [network.addHost(), network.addHost()] as const;
  const redis = await startRedis(t, {
    host: network.address,
    args: ['--bind', network.address, '--protected-mode', 'no'],
  });
  const cluster = await TestCluster.start(t, { engine: engineAt(redis.address), size: 0, leaseMs: LEASE_MS });
  const nodes: ClusterNode[] = [];
  for (const host of hosts) nodes.push(await cluster.add({ host: host.address, wrapper: host.wrapper }));
  await cluster.joined();
  const [cutNode, other] = nodes as [ClusterNode, ClusterNode];
  return { cluster, cutNode, host: hosts[0], other, otherHost: hosts[1] };
}
