/** Stopping a real node: what clients and back-ends see, and that it ends in time whatever hangs. */
import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { CloseCode, FrameType, GoAwayReason, Status } from '../../protocol/index.js';
import { allEvents } from '../sdk/client-fixture.js';
import { eventually, startTestNode, TEST_KEYS, type TestNode } from '../support/start-test-node.js';
import { isRunning, watchThreads } from '../support/watch-threads.js';
import { startBackEnd } from '../upstream/real-back-end.js';

/** A machine that does other work may be late; what hangs would be later than any machine. */
const NOISE_MS = 3_000;

test.serial('node: a stop answers what is under way, says GOAWAY and CLOSE 4000, and lets everything go', async (t) => {
  const threads = watchThreads(t);
  let answer = (): void => {};
  const backEnd = await startBackEnd(t, (_request, response) => {
    answer = () => response.end('in time');
  });
  const node = await startTestNode(t, { upstreamUrl: backEnd.url, drainMs: 5_000 });
  const device = await node.rawDevice('ada');
  device.send(request(1, 'slow'));
  await eventually(() => backEnd.received.length === 1);

  const stopped = stop(node);
  const goaway = await device.next(FrameType.goaway);
  t.is(goaway.reason, GoAwayReason.draining);
  t.is(goaway.windowMs, 1_000);
  t.is((await node.call('GET', '/readyz')).status, 503);
  t.is((await node.call('GET', '/healthz')).status, 200);
  for (const address of [node.tcp, new URL(node.ws).host]) await refused(t, address);
  const push = { key: TEST_KEYS.im, body: { payload: 'too late' } };
  const pushed = await node.call('POST', '/v1/apps/demo/devices/ada/push', push);
  t.like(pushed.json, { result: 'dropped', reason: 'closed' });
  answer();
  t.like(await device.next(FrameType.response), { requestId: 1, status: Status.ok });
  t.like(await device.next(FrameType.close), { code: CloseCode.goingAway });
  await device.ended;
  t.true((await stopped) < 5_000 + NOISE_MS);
  await eventually(() => !threads.some(isRunning));
  for (const address of Object.values(node.handle.addresses.services)) await refused(t, address);
});

test.serial('node: an SDK client that is told to go does not take it for a refusal and tries on', async (t) => {
  const node = await startTestNode(t, { workers: 1 });
  const client = await node.online('ada');
  const goaways = allEvents(client, 'goaway');
  const offlines = allEvents(client, 'offline');
  await node.handle.stop();
  await eventually(() => offlines.length > 0);
  t.is(goaways.length, 1);
  t.is(offlines[0]?.advice, 'reconnect');
  t.not(client.state, 'closed');
  t.not(offlines[0]?.nextAttemptMs, undefined);
});

test.serial('node: without a connection a stop waits for nothing, and twice is once', async (t) => {
  const node = await startTestNode(t, { drainMs: 60_000 });
  const [first, second] = [node.handle.stop(), node.handle.stop()];
  t.is(first, second);
  const began = performance.now();
  await first;
  t.true(performance.now() - began < 10_000);
  await t.notThrowsAsync(node.handle.stop());
});

test.serial('node: a client that goes when told ends the drain early', async (t) => {
  const node = await startTestNode(t, { drainMs: 60_000 });
  const device = await node.rawDevice('ada');
  const stopped = stop(node);
  await device.next(FrameType.goaway);
  device.send({ type: FrameType.close, code: CloseCode.normal, reason: '' });
  t.true((await stopped) < 10_000);
});

test.serial('node: a back-end that hangs does not keep a stop beyond the drain time', async (t) => {
  const backEnd = await startBackEnd(t, () => {});
  const node = await startTestNode(t, { upstreamUrl: backEnd.url, drainMs: 1_500 });
  const device = await node.rawDevice('ada');
  device.send(request(1, 'hang'));
  await eventually(() => backEnd.received.length === 1);
  const stopped = stop(node);
  t.like(await device.next(FrameType.close), { code: CloseCode.goingAway });
  const tookMs = await stopped;
  t.true(tookMs >= 800, `the request had its time: ${tookMs} ms`);
  t.true(tookMs < 1_500 + NOISE_MS, `${tookMs} ms`);
});

test.serial(
  'node: half a request at the bridge or the control layer does not keep a stop beyond the drain time',
  async (t) => {
    const node = await startTestNode(t, { workers: 1, drainMs: 1_000 });
    const sockets = Object.values(node.handle.addresses.services).map((address) => {
      const [host, port] = address.split(':');
      const socket = connect(Number(port), host);
      socket.on('error', () => {});
      socket.write(
        'POST /v1/bootstrap HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
      );
      return socket;
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const closed = Promise.all(sockets.map((socket) => once(socket, 'close')));
    const tookMs = await stop(node);
    t.true(tookMs < 1_000 + NOISE_MS, `${tookMs} ms`);
    await closed;
  },
);

test.serial('node: a client that reads nothing does not keep a stop beyond the drain time', async (t) => {
  // Long enough for a push to be reported slow, which takes a second.
  const node = await startTestNode(t, { workers: 1, drainMs: 5_000 });
  const device = await node.rawDevice('ada');
  device.pause();
  const body = { payload: 'x'.repeat(300_000) };
  const pushes = Array.from({ length: 12 }, () =>
    node.call('POST', '/v1/apps/demo/devices/ada/push', { key: TEST_KEYS.im, body }),
  );
  const tookMs = await stop(node);
  t.true(tookMs < 5_000 + NOISE_MS, `${tookMs} ms`);
  t.true((await Promise.all(pushes)).every(({ status }) => status === 200));
});

/** @returns how long it took, milliseconds */
async function stop(node: TestNode): Promise<number> {
  const began = performance.now();
  await node.handle.stop();
  return performance.now() - began;
}

function request(requestId: number, method: string) {
  const payload = new Uint8Array(0);
  return { type: FrameType.request, requestId, businessId: 1, method, metadata: {}, deadlineMs: 0, payload } as const;
}

async function refused(t: ExecutionContext, address: string): Promise<void> {
  const [host, port] = address.split(':');
  await t.throwsAsync(once(connect(Number(port), host), 'connect'), { code: 'ECONNREFUSED' }, address);
}
