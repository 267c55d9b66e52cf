import { createHash, createHmac } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { canonicalText } from '../../protocol/index.js';
import { verifyWebhook } from '../../sdk/backend/index.js';
import { type ConnectionEvent, createEventSender, type EventSender, type SendResult } from '../../upstream/index.js';
import { type Received, SECRET, startBackEnd, startTcpServer } from './real-back-end.js';

const AT_MS = 1_700_000_000_123;

function eventOf(changes: Partial<ConnectionEvent> = {}): ConnectionEvent {
  return {
    type: 'connected',
    app: 'demo',
    deviceId: 'gerät "1"',
    uid: 'ada',
    connectionId: 'n1-0-2a',
    fence: 1_700_000_000_123_456,
    atMs: AT_MS,
    ...changes,
  };
}

function senderTo(t: ExecutionContext, url: string, deadlineMs = 60_000): EventSender {
  const sender = createEventSender({ business: 'im', url, signingSecret: SECRET, connections: 2, deadlineMs });
  t.teardown(() => sender.destroy());
  return sender;
}

test('event sender: an event is a CloudEvent of attributes alone, and verifies with the SDK', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => response.writeHead(204).end());
  const sender = senderTo(t, backEnd.url);
  t.deepEqual(await sender.send(eventOf()), { result: 'delivered' });
  t.deepEqual(await sender.send(eventOf({ type: 'disconnected', uid: undefined, code: 4001 })), {
    result: 'delivered',
  });
  const [connected, disconnected] = backEnd.received as [Received, Received];
  t.is(connected.method, 'POST');
  t.is(connected.url, '/hook?v=1');
  t.is(connected.body.length, 0);
  t.like(connected.headers, {
    'content-length': '0',
    'ce-specversion': '1.0',
    'ce-type': 'trunkline.device.connected.v1',
    'ce-time': '2023-11-14T22:13:20.123Z',
    'ce-app': 'demo',
    'ce-uid': 'ada',
    'ce-connection': 'n1-0-2a',
    'ce-business': 'im',
    'ce-fence': '1700000000123456',
  });
  t.false('content-type' in connected.headers);
  t.false('ce-reason' in connected.headers);
  t.like(disconnected.headers, {
    'ce-type': 'trunkline.device.disconnected.v1',
    'ce-closecode': '4001',
    'ce-reason': 'heartbeat-timeout',
  });
  t.false('ce-uid' in disconnected.headers);
  t.not(connected.headers['ce-id'], disconnected.headers['ce-id']);
  for (const { headers, body } of backEnd.received) {
    const text = canonicalText(headers, createHash('sha256').update(body).digest('hex'));
    t.is(headers['trunkline-signature'], `v1=${createHmac('sha256', SECRET).update(text).digest('hex')}`);
  }
  const verdict = verifyWebhook({ headers: disconnected.headers, body: disconnected.body, secret: SECRET });
  t.like(verdict, { ok: true, event: { type: 'disconnected', device: 'gerät "1"', atMs: AT_MS, closeCode: 4001 } });
});

test('event sender: another attempt has the same id', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => response.writeHead(500).end());
  const sender = senderTo(t, backEnd.url);
  await sender.send(eventOf());
  await sender.send(eventOf());
  const [first, second] = backEnd.received as [Received, Received];
  t.is(first.headers['ce-id'], second.headers['ce-id']);
});

const FAILED: SendResult = { result: 'failed', retryAfterMs: 0 };
const STATUSES: readonly (readonly [number, Record<string, string>, SendResult])[] = [
  [200, {}, { result: 'delivered' }],
  [302, { location: 'http://127.0.0.1:1/' }, { result: 'refused' }],
  [400, {}, { result: 'refused' }],
  [401, {}, { result: 'refused' }],
  [404, {}, { result: 'refused' }],
  [501, {}, { result: 'refused' }],
  [408, {}, FAILED],
  [500, {}, FAILED],
  [503, { 'retry-after': '7' }, { result: 'failed', retryAfterMs: 7_000 }],
  [429, { 'retry-after': '86400' }, { result: 'failed', retryAfterMs: 60_000 }],
  [429, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, FAILED],
];

for (const [status, headers, expected] of STATUSES) {
  test(`event sender: ${status} ${JSON.stringify(headers)} is ${JSON.stringify(expected)}`, async (t) => {
    const backEnd = await startBackEnd(t, (_request, response) => response.writeHead(status, headers).end('body'));
    t.deepEqual(await senderTo(t, backEnd.url).send(eventOf()), expected);
    t.is(backEnd.received.length, 1);
  });
}

test('event sender: a back-end that hangs, cuts the link or is not there fails the attempt', async (t) => {
  const hanging = await startTcpServer(t, () => {});
  t.deepEqual(await senderTo(t, hanging, 50).send(eventOf()), FAILED);
  const cutting = await startTcpServer(t, (socket) => socket.destroy());
  t.deepEqual(await senderTo(t, cutting).send(eventOf()), FAILED);
  const nonsense = await startTcpServer(t, (socket) => socket.end('SSH-2.0-x\r\n'));
  t.deepEqual(await senderTo(t, nonsense).send(eventOf()), FAILED);
});

test('event sender: an answer without end is cut, and its status counts', async (t) => {
  let isCut = false;
  const backEnd = await startBackEnd(t, (_request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(Buffer.alloc(32 * 1024)), 1);
    response.on('close', () => {
      isCut = true;
      clearInterval(timer);
    });
  });
  t.deepEqual(await senderTo(t, backEnd.url).send(eventOf()), { result: 'delivered' });
  while (!isCut) await new Promise((resolve) => setTimeout(resolve, 2));
  t.pass();
});
