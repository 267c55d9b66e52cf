/** Calls of a back-end to devices: from the back-end client through a real node to a real device, and back. */
import test from 'ava';
import { CloseCode, FrameType, Status } from '../../protocol/index.js';
import { backEndOf } from '../support/back-end-of.js';
import { eventually, shareTestNode } from '../support/start-test-node.js';

const shared = shareTestNode({ limits: { inFlight: 3 } });

test('node: a back-end asks a device on either protocol and gets its answer', async (t) => {
  const node = shared();
  const backEnd = backEndOf(t, node);
  for (const protocol of ['tcp', 'ws'] as const) {
    const device = await node.online(`lamp-${protocol}`, { protocol });
    device.business('im').onRequest('lamp.on', (request) => ({
      status: Status.failedPrecondition,
      metadata: { ...request.metadata, deadline: String(request.deadlineMs) },
      payload: request.text().toUpperCase(),
    }));
    const call = { method: 'lamp.on', payload: 'grüße', metadata: { trace: 'ü' }, deadlineMs: 20_000 };
    const answer = await backEnd.callDevice(`lamp-${protocol}`, call);
    t.deepEqual([answer.status, answer.statusName], [Status.failedPrecondition, 'FAILED_PRECONDITION']);
    t.deepEqual(answer.metadata, { trace: 'ü', deadline: '20000' });
    t.is(Buffer.from(answer.payload).toString(), 'GRÜSSE');
    const unknown = await backEnd.callDevice(`lamp-${protocol}`, { method: 'other' });
    t.is(unknown.status, Status.unimplemented);
  }
});

test('node: any bytes go down and come back', async (t) => {
  const node = shared();
  const device = await node.online('echo');
  device.business('im').onRequest(({ payload }) => payload);
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const { payload } = await backEndOf(t, node).callDevice('echo', { method: 'echo', payload: bytes });
  t.deepEqual(payload, bytes);
});

test('node: calls to many devices on both workers find each its own answer', async (t) => {
  const node = shared();
  const placed = await node.onlineOnBothWorkers('many');
  for (const { client, deviceId } of placed) client.business('im').onRequest(() => deviceId);
  const backEnd = backEndOf(t, node);
  const asked = Array.from({ length: 60 }, (_, i) => placed[i % placed.length]?.deviceId ?? '');
  const answers: string[] = [];
  for (let at = 0; at < asked.length; at += 3) {
    const some = asked.slice(at, at + 3).map((deviceId) => backEnd.callDevice(deviceId, { method: 'who' }));
    for (const { payload } of await Promise.all(some)) answers.push(Buffer.from(payload).toString());
  }
  t.deepEqual(answers, asked);
});

test('node: a device that is away or was not granted the business is unavailable', async (t) => {
  const node = shared();
  await node.online('im-only', { grants: { businesses: ['im'] } });
  for (const [backEnd, device] of [
    [backEndOf(t, node), 'nobody'],
    [backEndOf(t, node, 'live'), 'im-only'],
  ] as const) {
    const answer = await backEnd.callDevice(device, { method: 'm' });
    t.is(answer.status, Status.unavailable);
    t.deepEqual(answer.metadata, { 'trunkline-reason': 'offline' });
  }
});

test('node: a deadline ends a call on both sides', async (t) => {
  const node = shared();
  const device = await node.rawDevice('slow');
  const calling = backEndOf(t, node).callDevice('slow', { method: 'm', deadlineMs: 100 });
  const request = await device.next(FrameType.request);
  t.is(request.deadlineMs, 100);
  t.is((await calling).status, Status.deadlineExceeded);
  t.is((await device.next(FrameType.cancel)).requestId, request.requestId);
});

test('node: a caller that gives up cancels the call', async (t) => {
  const node = shared();
  const device = await node.rawDevice('given-up');
  const aborter = new AbortController();
  const calling = backEndOf(t, node).callDevice('given-up', {
    method: 'm',
    deadlineMs: 60_000,
    signal: aborter.signal,
  });
  const request = await device.next(FrameType.request);
  aborter.abort();
  await t.throwsAsync(calling, { name: 'AbortError' });
  t.is((await device.next(FrameType.cancel)).requestId, request.requestId);
});

test('node: the end of the connection ends its calls, and more than its limit are refused', async (t) => {
  const node = shared();
  const device = await node.rawDevice('breaks');
  const backEnd = backEndOf(t, node);
  const calls = Array.from({ length: 5 }, () => backEnd.callDevice('breaks', { method: 'm', deadlineMs: 60_000 }));
  const settled: number[] = [];
  for (const call of calls) void call.then(({ status }) => settled.push(status));
  await eventually(() => settled.length === 2);
  t.deepEqual(settled, [Status.resourceExhausted, Status.resourceExhausted]);
  device.cut();
  const answers = await Promise.all(calls);
  t.is(answers.filter(({ status }) => status === Status.unavailable).length, 3);
  t.true(answers.every(({ metadata }) => metadata['trunkline-reason'] !== undefined));
});

test('node: what a device answers unasked changes nothing, for itself or others', async (t) => {
  const node = shared();
  const [liar, honest] = [await node.rawDevice('liar'), await node.rawDevice('honest')];
  const backEnd = backEndOf(t, node);
  const calling = backEnd.callDevice('honest', { method: 'm' });
  const { requestId } = await honest.next(FrameType.request);
  const answer = (text: string) => {
    const type = FrameType.response;
    return { type, requestId, status: 0, metadata: {}, payload: Buffer.from(text) } as const;
  };
  liar.send(answer('a lie'), { type: FrameType.ping, opaque: 1 });
  await liar.next(FrameType.pong);
  honest.send(answer('the truth'));
  t.is(Buffer.from((await calling).payload).toString(), 'the truth');
  t.true(liar.isOpen);
});

test('node: a call to a device that is kicked off ends', async (t) => {
  const node = shared();
  const device = await node.rawDevice('replaced');
  const calling = backEndOf(t, node).callDevice('replaced', { method: 'm', deadlineMs: 60_000 });
  await device.next(FrameType.request);
  await node.rawDevice('replaced');
  t.is((await calling).status, Status.unavailable);
  t.is((await device.next(FrameType.close)).code, CloseCode.replaced);
});
