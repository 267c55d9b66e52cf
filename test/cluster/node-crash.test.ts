/**
 * Crashes of access worker threads in a real node: what is lost, what stays, and how it comes back. Serial, because
 * the threads of a node are known by the order in which this process starts them.
 */
import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { FrameType, Status } from '../../protocol/index.js';
import { allEvents, nextEvent } from '../sdk/client-fixture.js';
import type { RawDevice } from '../support/raw-device.js';
import { eventually, startTestNode, TEST_KEYS, type TestNode, workerOf } from '../support/start-test-node.js';
import { crash, isRunning, watchThreads } from '../support/watch-threads.js';

const key = TEST_KEYS.im;
const SERIALS_PER_GENERATION = 2 ** 32;

test.serial("node: a crash costs that thread's connections only, and they come back by themselves", async (t) => {
  const { node, threads } = await startWatched(t);
  const placed = await node.onlineOnBothWorkers('device');
  const raws = await rawDevicesOnBothWorkers(node);
  await node.call('PUT', '/v1/groups/room-1', { key });
  for (const device of raws) {
    device.send({ type: FrameType.join, requestId: 1, businessId: 1, group: 'room-1' });
    t.is((await device.next(FrameType.response)).status, Status.ok);
  }
  await eventually(async () => (await members(node)) === raws.length);
  t.is((await node.call('GET', '/readyz')).status, 200);

  const offlines = placed.map(({ client }) => allEvents(client, 'offline'));
  const backOnline = placed.map(({ client }) => nextEvent(client, 'online'));
  const notReady = eventually(async () => {
    const { status, json } = await node.call('GET', '/readyz');
    return status === 503 && /1 of 2 access workers are down/.test(json.detail);
  });
  crash(threads[0]);
  const crashed = await crashedWorker(node);
  await notReady;

  const lost = raws.filter(({ connectionId }) => workerOf(connectionId) === crashed);
  const kept = raws.filter(({ connectionId }) => workerOf(connectionId) !== crashed);
  t.true(lost.length > 0 && kept.length > 0);
  await Promise.all(lost.map(({ ended }) => ended));
  await eventually(async () => (await members(node)) === kept.length);
  for (const device of lost) t.false((await presence(node, device)).online);
  for (const device of kept) t.is((await presence(node, device)).connectionId, device.connectionId);
  const push = await node.call('POST', '/v1/groups/room-1/push', { key, body: { payload: 'who is left?' } });
  t.like(push.json, { members: kept.length, unanswered: 0 });
  for (const device of kept) t.like(await device.next(FrameType.push), { messageId: push.json.messageId });

  for (const [i, { worker, client }] of placed.entries()) {
    if (worker === crashed) t.regex((await backOnline[i])?.connectionId ?? '', /^[0-9a-f]{16}-/);
    t.is(offlines[i]?.length, worker === crashed ? 1 : 0);
    t.is(client.state, 'online');
  }
  await eventually(async () => (await node.call('GET', '/readyz')).status === 200);
  t.true(kept.every(({ isOpen }) => isOpen));
  t.regex(node.logs.text(), /"access worker crashed".*Cannot read properties of null/);
  t.regex(node.logs.text(), /"routes of a crashed access worker withdrawn"/);
  t.regex(node.logs.text(), /"access worker restarted"/);
});

test.serial('node: a restarted worker takes connections again, under serials never used before', async (t) => {
  const { node, threads } = await startWatched(t);
  await Promise.all(threads.map((thread) => thread.terminate()));
  await eventually(() => threads.length === 4);
  await eventually(async () => (await node.call('GET', '/readyz')).status === 200);
  const placed = await rawDevicesOnBothWorkers(node);
  for (const { connectionId } of placed) {
    const serial = Number.parseInt(connectionId.split('-')[2] ?? '', 36);
    t.true(serial > SERIALS_PER_GENERATION, connectionId);
  }
  t.true(threads.slice(2).every(isRunning));
});

test.serial('node: pushes that a crash overtakes are answered, as delivered, unknown or offline', async (t) => {
  const { node, threads } = await startWatched(t);
  const devices = await rawDevicesOnBothWorkers(node);
  const names = devices.map((_, i) => `raw-${i}`);
  const pushes = Array.from({ length: 50 }, () =>
    node.call('POST', '/v1/apps/demo/push', { key, body: { devices: names, payload: 'now or never' } }),
  );
  crash(threads[1]);
  const results = (await Promise.all(pushes)).flatMap(({ status, json }) => {
    t.is(status, 200);
    return json.results.map(({ result }: { result: string }) => result);
  });
  t.is(results.length, 50 * names.length);
  t.deepEqual(
    results.filter((result) => !['delivered', 'unknown', 'offline', 'dropped'].includes(result)),
    [],
  );
  t.true(results.includes('delivered'));
});

test.serial('node: crashes in a row wait longer each time, and the other worker serves on', async (t) => {
  const { node, threads } = await startWatched(t);
  crash(threads[0]);
  await eventually(() => threads.length === 3);
  await eventually(async () => (await node.call('GET', '/readyz')).status === 200);
  crash(threads[2]);
  await eventually(() => backOffs(node).length === 2);
  t.deepEqual(backOffs(node), [200, 400]);
  const client = await node.online('ada');
  t.is(client.state, 'online');
});

test.serial('node: a stop ends the threads whatever their state, also one that is just being made', async (t) => {
  const { node, threads } = await startWatched(t);
  const [first, second] = threads;
  crash(first);
  await eventually(() => threads.length === 3);
  // The third thread has begun and does not serve yet; the second ends while the node stops.
  const stopped = node.handle.stop();
  crash(second);
  await stopped;
  await eventually(() => !threads.some(isRunning));
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.is(threads.length, 3, 'nothing is started again');
});

async function startWatched(t: ExecutionContext): Promise<{ node: TestNode; threads: Worker[] }> {
  const threads = watchThreads(t);
  const node = await startTestNode(t, { drainMs: 1_000 });
  t.is(threads.length, 2);
  return { node, threads };
}

async function rawDevicesOnBothWorkers(node: TestNode): Promise<RawDevice[]> {
  const devices: RawDevice[] = [];
  while (devices.length < 4 || new Set(devices.map(({ connectionId }) => workerOf(connectionId))).size < 2) {
    devices.push(await node.rawDevice(`raw-${devices.length}`));
  }
  return devices;
}

/** The index that the node gives the thread that died. */
async function crashedWorker(node: TestNode): Promise<number> {
  const pattern = /"access worker crashed".*?"worker":(\d+)/;
  await eventually(() => pattern.test(node.logs.text()));
  return Number(pattern.exec(node.logs.text())?.[1]);
}

function backOffs(node: TestNode): number[] {
  return node.logs
    .text()
    .split('\n')
    .filter((line) => line.includes('"access worker restarts"'))
    .map((line) => JSON.parse(line).delayMs);
}

async function members(node: TestNode): Promise<number> {
  return (await node.call('GET', '/v1/groups/room-1', { key })).json.members;
}

async function presence(node: TestNode, device: RawDevice): Promise<{ online: boolean; connectionId?: string }> {
  return (await node.call('GET', `/v1/apps/demo/devices/${device.deviceId}`, { key })).json;
}
