/** Devices at a real node: login on either protocol and worker, requests up, presence, kick, disconnect, replacement. */
import test from 'ava';
import { CloseCode, FrameType, Status } from '../../protocol/index.js';
import { allEvents, nextEvent } from '../sdk/client-fixture.js';
import { eventually, shareTestNode, TEST_KEYS, workerOf } from '../support/start-test-node.js';

const MAX_DEVICES = 64;

const shared = shareTestNode();

for (const protocol of ['tcp', 'ws'] as const) {
  test(`node: devices log in over ${protocol}, and both workers take some`, async (t) => {
    const node = shared();
    const workers = new Set<number>();
    let devices = 0;
    for (; devices < MAX_DEVICES && workers.size < 2; devices++) {
      const client = node.client(`${protocol}-${devices}`, { protocol });
      const online = nextEvent(client, 'online');
      await client.connect();
      const { connectionId, businesses } = await online;
      t.deepEqual([...businesses].toSorted(), ['im', 'live']);
      workers.add(workerOf(connectionId));
    }
    t.deepEqual([...workers].toSorted(), [0, 1], `the kernel spread ${devices} connections`);
  });
}

test('node: a bad token is refused with a code, a stranger that speaks anything else as well', async (t) => {
  const node = shared();
  const device = await node.rawLink();
  device.send({ type: FrameType.connect, minVersion: 1, maxVersion: 1, token: 'nonsense', attributes: {} });
  t.is((await device.next(FrameType.connack)).status, Status.unauthenticated);
  t.is((await device.next(FrameType.close)).code, CloseCode.invalidToken);
  await device.ended;
  const stranger = await node.rawLink();
  stranger.send({ type: FrameType.ping, opaque: 1 });
  t.is((await stranger.next(FrameType.close)).code, CloseCode.unexpectedFrame);
  await stranger.ended;
});

test('node: presence follows the device, and a business that was not granted does not see it', async (t) => {
  const node = shared();
  const presence = async (key: string) => (await node.call('GET', '/v1/apps/demo/devices/seen', { key })).json;
  t.like(await presence(TEST_KEYS.im), { online: false });
  const device = await node.online('seen', { grants: { businesses: ['im'] } });
  const seen = await presence(TEST_KEYS.im);
  t.true(seen.online);
  t.regex(seen.connectionId, /^[0-9a-f]{16}-[01]-/);
  t.true(Math.abs(Date.now() - seen.sinceMs) < 60_000);
  t.like(await presence(TEST_KEYS.live), { online: false });
  const many = await node.call('POST', '/v1/apps/demo/presence', {
    key: TEST_KEYS.im,
    body: { devices: ['nobody', 'seen'] },
  });
  t.deepEqual(
    many.json.devices.map(({ online }: { online: boolean }) => online),
    [false, true],
  );
  device.close();
  await eventually(async () => !(await presence(TEST_KEYS.im)).online);
  t.pass();
});

test('node: a kick withdraws one business and leaves the connection to the others', async (t) => {
  const node = shared();
  const device = await node.rawDevice('kicked');
  device.send({ type: FrameType.join, requestId: 1, businessId: 2, group: 'stage-1' });
  t.is((await device.next(FrameType.response)).status, Status.ok);
  const kick = () => node.call('POST', '/v1/apps/demo/devices/kicked/kick', { key: TEST_KEYS.live });
  t.deepEqual((await kick()).json, { kicked: true });
  t.like(await device.next(FrameType.gap), { businessId: 2, group: 'stage-1', reason: 2 });
  t.deepEqual((await kick()).json, { kicked: false });
  const push = (key: string) =>
    node.call('POST', '/v1/apps/demo/devices/kicked/push', { key, body: { payload: 'hello' } });
  t.like((await push(TEST_KEYS.live)).json, { result: 'offline' });
  t.like((await push(TEST_KEYS.im)).json, { result: 'delivered' });
  device.send({ type: FrameType.join, requestId: 2, businessId: 2, group: 'stage-1' });
  t.is((await device.next(FrameType.response)).status, Status.permissionDenied);
});

test("node: the app's back-end closes a connection with 4506, and the client stays away", async (t) => {
  const node = shared();
  const client = await node.online('closed');
  const offline = nextEvent(client, 'offline');
  const path = '/v1/apps/demo/devices/closed/connection';
  t.deepEqual((await node.call('DELETE', path, { key: TEST_KEYS.app })).json, { disconnected: true });
  t.like(await offline, { code: CloseCode.kicked, advice: 'stay-away' });
  t.is(client.state, 'closed');
  await eventually(async () => !(await node.call('DELETE', path, { key: TEST_KEYS.app })).json.disconnected);
});

test('node: a newer login replaces the older, on whichever worker, and the older stays away', async (t) => {
  const node = shared();
  const seen = new Set<string>();
  let current = await node.online('twin');
  let lastWorker = -1;
  // As often as it takes to see it within a worker and across workers; each login replaces the one before.
  for (let i = 0; i < MAX_DEVICES && seen.size < 2; i++) {
    const offline = nextEvent(current, 'offline');
    const next = node.client('twin', { protocol: i % 2 === 0 ? 'ws' : 'tcp' });
    const online = nextEvent(next, 'online');
    await next.connect();
    t.like(await offline, { code: CloseCode.replaced, advice: 'stay-away', nextAttemptMs: undefined });
    t.is(current.state, 'closed');
    const worker = workerOf((await online).connectionId);
    if (lastWorker >= 0) seen.add(worker === lastWorker ? 'same' : 'other');
    lastWorker = worker;
    current = next;
  }
  t.deepEqual([...seen].toSorted(), ['other', 'same']);
  const states = allEvents(current, 'state');
  const push = { key: TEST_KEYS.im, body: { payload: 'to the newest' } };
  const got = new Promise<string>((resolve) => current.business('im').onPush((message) => resolve(message.text())));
  t.like((await node.call('POST', '/v1/apps/demo/devices/twin/push', push)).json, { result: 'delivered' });
  t.is(await got, 'to the newest');
  t.deepEqual(states, []);
});

test('node: hundreds of logins of one device at once leave one connection and one route', async (t) => {
  const node = shared();
  const { token } = await node.issueToken('crowd');
  const devices = await Promise.all(Array.from({ length: 100 }, () => node.rawLink()));
  t.teardown(() => {
    for (const device of devices) device.cut();
  });
  // Who is replaced before its CONNACK was written may see the end of the link only.
  await Promise.allSettled(devices.map((device) => device.login(token)));
  await eventually(() => devices.filter(({ isOpen }) => isOpen).length <= 1);
  const [survivor] = devices.filter(({ isOpen }) => isOpen);
  const { connectionId } = (await node.call('GET', '/v1/apps/demo/devices/crowd', { key: TEST_KEYS.im })).json;
  t.is(connectionId, survivor?.connectionId);
  for (const { connectionId: loggedIn, frames } of devices.filter((device) => device !== survivor)) {
    if (loggedIn !== '') t.like(frames.at(-1), { type: FrameType.close, code: CloseCode.replaced });
  }
});
