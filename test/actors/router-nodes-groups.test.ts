import test, { type ExecutionContext } from 'ava';
import { OverloadedError } from '../../actors/errors.js';
import { OutcomeCode } from '../../actors/outcome-batch.js';
import type { PushMessage } from '../../actors/routing-service.js';
import { decodeFrame, FrameDecoder } from '../../protocol/index.js';
import { BUSINESS, RouterCluster, type TestRouter } from '../support/router-cluster.js';
import { turns } from '../support/until.js';

const MESSAGE: PushMessage = { businessId: BUSINESS, messageId: 'm-1', metadata: {}, payload: Buffer.from('hi') };
const ROOM = { businessId: BUSINESS, group: 'room' };
const MULTICAST = { group: 'room', message: MESSAGE };

function devices(...ids: string[]) {
  return ids.map((deviceId) => ({ app: 'demo', deviceId }));
}

async function trio(t: ExecutionContext, maxPending?: number) {
  const cluster = new RouterCluster(t, 3, maxPending);
  const [a, b, c] = cluster.nodes as [TestRouter, TestRouter, TestRouter];
  await a.router.createGroup(ROOM);
  return { cluster, a, b, c };
}

/** A worker listens and has so many members. */
async function members({ router, workers }: TestRouter, worker: 0 | 1, count: number): Promise<void> {
  await router.listenToGroup({ worker, ...ROOM, create: false });
  router.groupSizes({ worker, sizes: [{ ...ROOM, members: count }] });
  workers[worker].members = count;
}

function listening(cluster: RouterCluster): number {
  return cluster.bus.listening.get(`${BUSINESS} room`)?.size ?? 0;
}

test('groups of many nodes: a multicast reaches the members of all nodes, and counts them', async (t) => {
  const { cluster, a, b, c } = await trio(t);
  await members(a, 0, 3);
  await members(b, 0, 40);
  await members(b, 1, 500);
  t.deepEqual(await c.router.multicast(MULTICAST), { offset: 1, members: 543, unanswered: 0 });
  t.deepEqual(await a.router.multicast(MULTICAST), { offset: 2, members: 543, unanswered: 0 });
  t.is(listening(cluster), 2);
  t.deepEqual(c.workers[0].sent, []);
  for (const { workers } of [a, b]) {
    const [first] = workers[0].items;
    t.like(first, { kind: 'multicast', group: 'room', offset: 1 });
    const [raw] = new FrameDecoder(1_000).decode(first?.kind === 'multicast' ? first.frame : new Uint8Array(0));
    t.like(raw && decodeFrame(raw), { messageId: 'm-1', multicast: { group: 'room', offset: 1 } });
  }
});

test('groups of many nodes: options of a multicast hold on every node', async (t) => {
  const { a, b } = await trio(t);
  await members(b, 0, 1);
  const before = Date.now();
  await a.router.multicast({ ...MULTICAST, message: { ...MESSAGE, ttlMs: 60_000, droppable: true } });
  const [item] = b.workers[0].items;
  t.like(item, { flags: 1 });
  t.true(item?.kind === 'multicast' && item.expiresAtMs >= before + 60_000);
});

test('groups of many nodes: a worker that says nothing is unanswered, and so is a node', async (t) => {
  const { cluster, a, b, c } = await trio(t);
  await members(a, 0, 3);
  await members(b, 0, 40);
  await members(c, 0, 7);
  b.workers[0].outcome = undefined;
  const publishing = a.router.multicast(MULTICAST);
  await turns();
  cluster.at(1_500);
  t.deepEqual(await publishing, { offset: 1, members: 10, unanswered: 1 });
  b.workers[0].outcome = () => OutcomeCode.delivered;
  // Its answers are lost on the way.
  cluster.bus.state = 'lossy';
  const silent = a.router.multicast(MULTICAST);
  await turns();
  cluster.at(4_000);
  t.deepEqual(await silent, { offset: 2, members: 3, unanswered: 2 });
});

test('groups of many nodes: overload is told when it is everywhere', async (t) => {
  const { a, b } = await trio(t);
  await members(a, 0, 3);
  await members(b, 0, 40);
  b.workers[0].outcome = () => OutcomeCode.overloaded;
  b.workers[0].members = 0;
  t.deepEqual(await a.router.multicast(MULTICAST), { offset: 1, members: 3, unanswered: 1 });
  a.workers[0].outcome = () => OutcomeCode.overloaded;
  await t.throwsAsync(a.router.multicast(MULTICAST), { instanceOf: OverloadedError });
});

test('groups of many nodes: sizes are those of all nodes that are live', async (t) => {
  const { cluster, a, b, c } = await trio(t);
  await members(a, 0, 3);
  await members(b, 1, 40);
  for (const { router } of [a, b]) await router.getGroup(ROOM);
  t.is((await c.router.getGroup(ROOM))?.members, 43);
  b.router.groupSizes({ worker: 1, sizes: [{ ...ROOM, members: 41 }] });
  await new Promise((resolve) => setTimeout(resolve, 150));
  const { groups } = await c.router.listGroups({ businessId: BUSINESS, page: { limit: 5 } });
  t.is(groups[0]?.members, 44);
  cluster.gone.add(b.incarnation);
  t.is((await c.router.getGroup(ROOM))?.members, 3);
});

test('groups of many nodes: a channel is open while a worker listens, however often that begins and ends', async (t) => {
  const { cluster, a } = await trio(t);
  for (let i = 0; i < 5; i++) {
    await members(a, 0, 1);
    t.is(listening(cluster), 1);
    a.router.groupSizes({ worker: 0, sizes: [{ ...ROOM, members: 0 }] });
  }
  const again = members(a, 1, 1);
  a.router.groupSizes({ worker: 0, sizes: [{ ...ROOM, members: 0 }] });
  await again;
  await turns();
  t.is(listening(cluster), 1);
  t.is((await a.router.multicast(MULTICAST)).members, 1);
  await a.router.workerGone({ worker: 1 });
  await turns();
  t.is(listening(cluster), 0);
});

test('groups of many nodes: a worker is told the position only when its node receives', async (t) => {
  const { cluster, a, b } = await trio(t);
  await a.router.multicast(MULTICAST);
  const { stream } = await b.router.listenToGroup({ worker: 0, ...ROOM, create: false });
  t.is(stream?.offset, 1);
  t.is(listening(cluster), 1);
  cluster.bus.state = 'away';
  await t.throwsAsync(a.router.listenToGroup({ worker: 0, ...ROOM, create: false }), {
    code: 'TRK_ENGINE_UNAVAILABLE',
  });
  await t.throwsAsync(a.router.multicast(MULTICAST), { code: 'TRK_ENGINE_UNAVAILABLE' });
});

test('groups of many nodes: joins and leaves are asked of the node that has the device', async (t) => {
  const { cluster, a, b, c } = await trio(t);
  await a.login('x', 11);
  await b.login('y', 11);
  await b.login('z', 12, { worker: 1 });
  await a.router.multicast(MULTICAST);
  a.workers[0].answerAll('joined');
  b.workers[0].answerAll('already-member');
  b.workers[1].answerAll('too-many-groups');
  const results = await c.router.joinGroup({ ...ROOM, devices: devices('z', 'nobody', 'y', 'x') });
  t.deepEqual(results, ['too-many-groups', 'offline', 'already-member', 'joined']);
  t.like(b.workers[0].of('joinMembers')[0], { ...ROOM, serials: [11], stream: { offset: 1 } });
  t.is(listening(cluster), 2);
  b.workers[0].answerAll('left');
  t.deepEqual(await c.router.leaveGroup({ ...ROOM, devices: devices('y') }), ['left']);
  t.like(b.workers[0].of('removeMembers')[0], { ...ROOM, serials: [11] });
});

test('groups of many nodes: a join whose node does not answer, or cannot be asked, is unknown', async (t) => {
  const { cluster, a, b } = await trio(t);
  await b.login('y', 11);
  b.workers[0].answer = () => Promise.reject(new Error('crashed'));
  t.deepEqual(await a.router.joinGroup({ ...ROOM, devices: devices('y') }), ['unknown']);
  t.is(b.errors.length, 1);
  cluster.bus.state = 'away';
  t.deepEqual(await a.router.joinGroup({ ...ROOM, devices: devices('y') }), ['unknown']);
});

test('groups of many nodes: dissolving ends the memberships on every node', async (t) => {
  const { cluster, a, b, c } = await trio(t);
  await members(a, 0, 3);
  await members(b, 0, 40);
  await members(b, 1, 2);
  t.true(await c.router.dissolveGroup(ROOM));
  await turns();
  t.deepEqual(a.workers[0].of('dissolveGroup'), [ROOM]);
  t.deepEqual(b.workers[0].of('dissolveGroup'), [ROOM]);
  t.deepEqual(b.workers[1].of('dissolveGroup'), [ROOM]);
  t.is(listening(cluster), 0);
  t.false(await c.router.dissolveGroup(ROOM));
});

test('groups of many nodes: an engine that has forgotten is told everything anew', async (t) => {
  const { cluster, a } = await trio(t);
  await members(a, 0, 3);
  await a.router.getGroup(ROOM);
  const asked: object[] = [];
  for (const worker of a.workers) {
    worker.answer = (message) => {
      asked.push(message);
      return Promise.resolve({ restored: 2, refused: 1 });
    };
  }
  // As a restart without a file leaves it.
  await cluster.groups.dissolve(BUSINESS, 'room');
  t.deepEqual(await a.router.restoreAll(), { restored: 4, refused: 2 });
  t.is(asked.length, 2);
  t.is((await a.router.getGroup(ROOM))?.members, 3);
  t.is((await a.router.multicast(MULTICAST)).members, 3);
});

test('groups of many nodes: garbage on a group channel is dropped and counted', async (t) => {
  const { cluster, a, b } = await trio(t);
  await members(b, 0, 40);
  const bus = cluster.bus.of(a.incarnation);
  for (const body of [Buffer.from(''), Buffer.from('hello hello hello'), Buffer.alloc(40)]) {
    await bus.multicast(BUSINESS, 'room', body);
  }
  await turns();
  t.is(b.router.figures().malformed, 3);
  t.deepEqual(b.workers[0].items, []);
});
