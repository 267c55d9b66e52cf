/** Pushes through the real bridge of a real node: one device, many, groups; results and what the devices see. */
import test from 'ava';
import { FrameType, GapReason, Status } from '../../protocol/index.js';
import type { Push, TrunklineClient } from '../../sdk/node.js';
import { nextEvent } from '../sdk/client-fixture.js';
import { eventually, shareTestNode, TEST_KEYS, type TestNode } from '../support/start-test-node.js';

const key = TEST_KEYS.im;

const shared = shareTestNode();

test('node: a unicast arrives as it was sent, an absent device is offline', async (t) => {
  const node = shared();
  for (const protocol of ['tcp', 'ws'] as const) {
    const client = await node.online(`uni-${protocol}`, { protocol });
    const push = nextPush(client, 'im');
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const body = { payloadBase64: bytes.toString('base64'), messageId: 'm-1', metadata: { kind: 'ünïcode' } };
    const answer = await node.call('POST', `/v1/apps/demo/devices/uni-${protocol}/push`, { key, body });
    t.deepEqual(answer.json, { messageId: 'm-1', result: 'delivered' });
    const { messageId, metadata, payload } = await push;
    t.deepEqual([messageId, { ...metadata }], ['m-1', { kind: 'ünïcode' }]);
    t.deepEqual(Buffer.from(payload), bytes);
  }
  const absent = await node.call('POST', '/v1/apps/demo/devices/nobody/push', { key, body: { payload: '' } });
  t.is(absent.status, 200);
  t.is(absent.json.result, 'offline');
});

test('node: a batch has one result a device, in order, over both workers', async (t) => {
  const node = shared();
  const names = Array.from({ length: 20 }, (_, i) => `device-c-${i}`);
  const clients = await Promise.all(names.map((name, i) => node.online(name, { protocol: i % 2 ? 'ws' : 'tcp' })));
  const pushes = Promise.all(clients.map((client) => nextPush(client, 'im')));
  const devices = names.flatMap((name) => [name, `absent-${name}`]);
  const body = { devices, payload: 'to you all' };
  const { json } = await node.call('POST', '/v1/apps/demo/push', { key, body });
  t.deepEqual(
    json.results,
    devices.map((device, i) => ({ device, result: i % 2 === 0 ? 'delivered' : 'offline' })),
  );
  t.true((await pushes).every((push) => push.text() === 'to you all' && push.messageId === json.messageId));
});

test('node: pushes to one device keep their order, however they are batched', async (t) => {
  const node = shared();
  const client = await node.online('ada-d');
  const received: string[] = [];
  client.business('im').onPush((push) => received.push(push.text()));
  const sent = Array.from({ length: 200 }, (_, i) => String(i));
  const answers = [];
  // One request after the other is begun; the bridge's connections may reorder what is under way at once.
  for (const payload of sent) {
    answers.push(await node.call('POST', '/v1/apps/demo/devices/ada-d/push', { key, body: { payload } }));
  }
  t.true(answers.every(({ json }) => json.result === 'delivered'));
  t.deepEqual(received, sent);
});

test('node: a multicast reaches every member on both workers, once and in order', async (t) => {
  const node = shared();
  await createGroup(node, 'room-e');
  const clients = await onBothWorkers(node, 'member-e');
  const memberships = await Promise.all(clients.map((client) => client.business('im').join('room-e')));
  t.is(new Set(memberships.map(({ epoch }) => epoch)).size, 1);
  await eventually(async () => (await group(node, 'room-e')).members === clients.length);
  const outsider = await node.online('outsider');
  const received = clients.map((client) => collect(client));
  const strayed = collect(outsider);
  for (let i = 1; i <= 20; i++) {
    const { json } = await multicast(node, 'room-e', `line ${i}`);
    t.like(json, { offset: i, members: clients.length, unanswered: 0 });
  }
  await eventually(() => received.every((pushes) => pushes.length >= 20));
  for (const pushes of received) {
    t.deepEqual(
      pushes.map((push) => [push.text(), push.offset]),
      Array.from({ length: 20 }, (_, i) => [`line ${i + 1}`, i + 1]),
    );
  }
  t.deepEqual(strayed, []);
});

test('node: a group is joined with permission only, and where it exists', async (t) => {
  const node = shared();
  await createGroup(node, 'room-f');
  await createGroup(node, 'secret-f');
  await createGroup(node, 'club-7');
  const client = await node.online('ada-f', { grants: { groups: { im: ['club-*'] } } });
  const im = client.business('im');
  await t.notThrowsAsync(im.join('room-f'), 'open to all');
  await t.notThrowsAsync(im.join('club-7'), 'named in the token');
  await t.throwsAsync(im.join('secret-f'), { message: /./ });
  t.like(await t.throwsAsync(im.join('secret-f')), { status: Status.permissionDenied });
  t.like(await t.throwsAsync(im.join('room-unknown')), { status: Status.notFound });
  await t.notThrowsAsync(client.business('live').join('stage-new'), 'live creates groups on join');
  await im.leave('room-f');
  await eventually(async () => (await group(node, 'room-f')).members === 0);
});

test('node: the back-end joins and removes devices, which are told', async (t) => {
  const node = shared();
  await createGroup(node, 'secret-g');
  const devices = ['ada-g', 'ben-g'];
  const [ada, ben] = await Promise.all(devices.map((device) => node.rawDevice(device)));
  if (ada === undefined || ben === undefined) return t.fail();
  const change = async (verb: string, names: string[]) => {
    const body = { app: 'demo', devices: names };
    const answer = await node.call('POST', `/v1/groups/secret-g/${verb}`, { key, body });
    return answer.json.results.map(({ result }: { result: string }) => result);
  };
  t.deepEqual(await change('join', ['ada-g', 'nobody', 'ben-g']), ['joined', 'offline', 'joined']);
  t.deepEqual(await change('join', ['ada-g']), ['already-member']);
  await eventually(async () => (await group(node, 'secret-g')).members === 2);
  t.like((await multicast(node, 'secret-g', 'psst')).json, { members: 2 });
  t.like(await ada.next(FrameType.push), { businessId: 1, multicast: { group: 'secret-g', offset: 1 } });
  t.deepEqual(await change('leave', ['ben-g', 'nobody']), ['left', 'offline']);
  t.deepEqual(await change('leave', ['ben-g']), ['not-member']);
  t.like(await ben.next(FrameType.gap), { group: 'secret-g', reason: GapReason.membershipEnded, dropped: 0 });
  await eventually(async () => (await group(node, 'secret-g')).members === 1);
});

test('node: a dissolved group ends every membership with GAP 2, and is gone', async (t) => {
  const node = shared();
  await createGroup(node, 'room-h');
  const clients = await onBothWorkers(node, 'member-h');
  await Promise.all(clients.map((client) => client.business('im').join('room-h')));
  const gaps = Promise.all(clients.map((client) => nextEvent(client, 'gap')));
  t.is((await node.call('DELETE', '/v1/groups/room-h', { key })).status, 204);
  for (const gap of await gaps) t.like(gap, { group: 'room-h', reason: GapReason.membershipEnded });
  t.is((await multicast(node, 'room-h', 'anybody?')).status, 404);
  t.is((await node.call('DELETE', '/v1/groups/room-h', { key })).status, 404);
  await createGroup(node, 'room-h');
  t.like((await multicast(node, 'room-h', 'anew')).json, { offset: 1, members: 0 });
});

test('node: what a device left behind in its groups is not counted', async (t) => {
  const node = shared();
  await createGroup(node, 'room-i');
  const clients = await onBothWorkers(node, 'member-i');
  await Promise.all(clients.map((client) => client.business('im').join('room-i')));
  await eventually(async () => (await group(node, 'room-i')).members === clients.length);
  for (const client of clients.slice(1)) client.close();
  await eventually(async () => (await group(node, 'room-i')).members === 1);
  t.like((await multicast(node, 'room-i', 'still here?')).json, { members: 1, unanswered: 0 });
});

async function onBothWorkers(node: TestNode, namePrefix: string): Promise<TrunklineClient[]> {
  return (await node.onlineOnBothWorkers(namePrefix)).map(({ client }) => client);
}

function nextPush(client: TrunklineClient, business: string): Promise<Push> {
  return new Promise((resolve) => {
    const off = client.business(business).onPush((push) => {
      off();
      resolve(push);
    });
  });
}

function collect(client: TrunklineClient): Push[] {
  const pushes: Push[] = [];
  client.business('im').onPush((push) => pushes.push(push));
  return pushes;
}

async function createGroup(node: TestNode, name: string): Promise<void> {
  await node.call('PUT', `/v1/groups/${name}`, { key });
}

async function group(node: TestNode, name: string): Promise<{ members: number }> {
  return (await node.call('GET', `/v1/groups/${name}`, { key })).json;
}

function multicast(node: TestNode, name: string, payload: string) {
  return node.call('POST', `/v1/groups/${name}/push`, { key, body: { payload } });
}
