import test from 'ava';
import { FrameType, GapReason, Status } from '../../protocol/index.js';
import { type MemoryClient, online } from '../support/memory-client.js';
import { createTestNode, type TestNode, tokenFor } from '../support/test-worker.js';
import { turns } from '../support/until.js';

const MESSAGE = { businessId: 1, messageId: 'm', metadata: {}, payload: Buffer.from('hi') };

function join(requestId: number, group: string, own: { businessId?: number; recover?: boolean } = {}) {
  const recover = own.recover === true ? { epoch: 'old', offset: 3 } : undefined;
  return { type: FrameType.join, requestId, businessId: own.businessId ?? 1, group, recover } as const;
}

function leave(requestId: number, group: string) {
  return { type: FrameType.leave, requestId, businessId: 1, group } as const;
}

async function withGroups(node: TestNode, ...groups: string[]): Promise<void> {
  for (const group of groups) await node.router.createGroup({ businessId: 1, group });
}

function statuses(client: MemoryClient): Record<number, number> {
  return Object.fromEntries(client.of(FrameType.response).map(({ requestId, status }) => [requestId, status]));
}

test('memberships: JOIN is answered with the position, and multicasts follow with growing offsets', async (t) => {
  const node = createTestNode();
  await withGroups(node, 'lobby');
  await node.router.multicast({ group: 'lobby', message: MESSAGE });
  const client = await online(node, 'a');
  client.send(join(1, 'lobby'));
  await turns();
  const { epoch, offset, recovered } = client.response(1)?.metadata ?? {};
  t.is(client.response(1)?.status, Status.ok);
  t.regex(epoch ?? '', /^[0-9a-f]{12}$/);
  t.deepEqual([offset, recovered], ['1', undefined]);
  for (const _ of [2, 3]) t.like(await node.router.multicast({ group: 'lobby', message: MESSAGE }), { members: 1 });
  await turns();
  t.deepEqual(
    client.of(FrameType.push).map(({ multicast }) => multicast),
    [
      { group: 'lobby', offset: 2 },
      { group: 'lobby', offset: 3 },
    ],
  );
});

test('memberships: a client that wants to recover is told that it did not', async (t) => {
  const node = createTestNode();
  await withGroups(node, 'lobby');
  const client = await online(node, 'a');
  client.send(join(1, 'lobby', { recover: true }));
  await turns();
  t.is(client.response(1)?.metadata['recovered'], 'false');
});

test('memberships: joining again is as good as the first time, leaving twice is not', async (t) => {
  const node = createTestNode();
  await withGroups(node, 'lobby');
  const client = await online(node, 'a');
  client.send(join(1, 'lobby'));
  await turns();
  client.send(join(2, 'lobby'));
  await turns();
  t.is((await node.router.getGroup({ businessId: 1, group: 'lobby' }))?.members, 1);
  client.send(leave(3, 'lobby'), leave(4, 'lobby'), leave(5, 'never'));
  await turns();
  t.deepEqual(statuses(client), { 1: 0, 2: 0, 3: 0, 4: Status.notFound, 5: Status.notFound });
  t.is((await node.router.getGroup({ businessId: 1, group: 'lobby' }))?.members, 0);
  t.like(await node.router.multicast({ group: 'lobby', message: MESSAGE }), { members: 0 });
  t.deepEqual(client.of(FrameType.push), []);
});

test('memberships: permission comes from the business or from the token', async (t) => {
  const node = createTestNode();
  await withGroups(node, 'lobby', 'room-1', 'secret', 'vip-1');
  const client = await online(node, 'a', tokenFor('a', { businesses: ['im'], groups: { im: ['vip-*'], live: ['*'] } }));
  client.send(join(1, 'room-1'), join(2, 'vip-1'), join(3, 'secret'), join(4, 'lobby', { businessId: 2 }));
  await turns();
  t.deepEqual(statuses(client), { 1: 0, 2: 0, 3: Status.permissionDenied, 4: Status.permissionDenied });
});

test('memberships: an empty name is no argument, an unknown group is not found', async (t) => {
  const client = await online(createTestNode(), 'a');
  client.send(join(1, ''), join(2, 'room-unknown'));
  await turns();
  t.deepEqual(statuses(client), { 1: Status.invalidArgument, 2: Status.notFound });
});

test('memberships: a business may let JOIN create the group', async (t) => {
  const node = createTestNode({ businesses: { 1: { createGroupOnJoin: true } } });
  const client = await online(node, 'a');
  client.send(join(1, 'room-new'));
  await turns();
  t.is(client.response(1)?.metadata['offset'], '0');
  t.is((await node.router.getGroup({ businessId: 1, group: 'room-new' }))?.members, 1);
});

test('memberships: JOINs under way count against the limit', async (t) => {
  const node = createTestNode({ limits: { groups: 2 } });
  await withGroups(node, 'room-1', 'room-2', 'room-3');
  const client = await online(node, 'a');
  client.send(join(1, 'room-1'), join(2, 'room-2'), join(3, 'room-3'));
  await turns();
  t.deepEqual(statuses(client), { 1: 0, 2: 0, 3: Status.resourceExhausted });
  client.send(join(4, 'room-1'));
  await turns();
  client.send(leave(5, 'room-2'), join(6, 'room-3'));
  await turns();
  t.deepEqual(statuses(client), { 1: 0, 2: 0, 3: Status.resourceExhausted, 4: 0, 5: 0, 6: 0 });
});

test('memberships: a router that fails is unavailable, and the place is free again', async (t) => {
  const node = createTestNode({ limits: { groups: 1 } });
  await withGroups(node, 'lobby');
  const client = await online(node, 'a');
  const { get } = node.engine.groups;
  node.engine.groups.get = () => Promise.reject(new Error('engine away'));
  client.send(join(1, 'lobby'));
  await turns();
  node.engine.groups.get = get.bind(node.engine.groups);
  client.send(join(2, 'lobby'));
  await turns();
  t.deepEqual(statuses(client), { 1: Status.unavailable, 2: 0 });
});

test('memberships: a session that drains or loses the business meanwhile does not join', async (t) => {
  const node = createTestNode();
  await withGroups(node, 'lobby');
  const [drained, kicked] = [await online(node, 'drained'), await online(node, 'kicked')];
  const [first, second] = node.worker.sessions.values();
  drained.send(join(1, 'lobby'));
  kicked.send(join(1, 'lobby'));
  first?.drain(1, 1_000);
  const business = node.worker.businesses.get(1);
  if (business !== undefined) second?.revoke(business);
  await turns();
  t.is(drained.response(1)?.status, Status.unavailable);
  t.is(kicked.response(1)?.status, Status.permissionDenied);
  t.is(node.worker.groups.size, 0);
  t.is((await node.router.getGroup({ businessId: 1, group: 'lobby' }))?.members, 0);
});

test('memberships: the end of the session ends them all, at once and for the router', async (t) => {
  const node = createTestNode();
  await withGroups(node, 'room-1', 'room-2');
  const client = await online(node, 'a');
  client.send(join(1, 'room-1'), join(2, 'room-2'));
  await turns();
  t.deepEqual([node.worker.groups.size, node.actors.groups], [2, 2]);
  client.transport.destroy();
  t.deepEqual([node.worker.groups.size, node.actors.groups], [0, 0]);
  await turns();
  t.is((await node.router.getGroup({ businessId: 1, group: 'room-1' }))?.members, 0);
});

test('memberships: a back-end joins and removes a device, which hears of the end only', async (t) => {
  const node = createTestNode({ limits: { groups: 1 } });
  await withGroups(node, 'secret', 'other');
  const client = await online(node, 'a');
  const devices = [
    { app: 'demo', deviceId: 'a' },
    { app: 'demo', deviceId: 'nobody' },
  ];
  const address = { businessId: 1, group: 'secret', devices };
  t.deepEqual(await node.router.joinGroup(address), ['joined', 'offline']);
  t.deepEqual(await node.router.joinGroup(address), ['already-member', 'offline']);
  t.deepEqual(await node.router.joinGroup({ ...address, group: 'other' }), ['too-many-groups', 'offline']);
  t.like(await node.router.multicast({ group: 'secret', message: MESSAGE }), { members: 1 });
  t.deepEqual(await node.router.leaveGroup(address), ['left', 'offline']);
  t.deepEqual(await node.router.leaveGroup(address), ['not-member', 'offline']);
  await turns();
  t.deepEqual(
    client.frames().map(({ type }) => type),
    [FrameType.connack, FrameType.push, FrameType.gap],
  );
  t.like(client.of(FrameType.gap)[0], { group: 'secret', dropped: 0, reason: GapReason.membershipEnded });
});

test('memberships: dissolving a group tells every member and frees their places', async (t) => {
  const node = createTestNode({ limits: { groups: 1 } });
  await withGroups(node, 'room-1', 'room-2');
  const clients = [await online(node, 'a'), await online(node, 'b')];
  for (const client of clients) client.send(join(1, 'room-1'));
  await turns();
  t.true(await node.router.dissolveGroup({ businessId: 1, group: 'room-1' }));
  await turns();
  for (const client of clients) {
    t.like(client.of(FrameType.gap)[0], { group: 'room-1', reason: GapReason.membershipEnded });
    client.send(join(2, 'room-2'));
  }
  await turns();
  for (const client of clients) t.is(client.response(2)?.status, Status.ok);
  t.is(node.actors.groups, 1);
});

test('memberships: a group of the same name in two businesses is two groups', async (t) => {
  const node = createTestNode();
  for (const businessId of [1, 2]) await node.router.createGroup({ businessId, group: 'lobby' });
  const client = await online(node, 'a');
  client.send(join(1, 'lobby'), join(2, 'lobby', { businessId: 2 }));
  await turns();
  await node.router.multicast({ group: 'lobby', message: { ...MESSAGE, businessId: 2 } });
  await turns();
  t.deepEqual(
    client.of(FrameType.push).map(({ businessId }) => businessId),
    [2],
  );
});
