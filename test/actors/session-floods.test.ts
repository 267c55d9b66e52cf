import test from 'ava';
import { CloseCode, encodeFrame, type Frame, FrameType, Status } from '../../protocol/index.js';
import { WEBSOCKET_ENVELOPE } from '../../transports/index.js';
import { connectFrame, MemoryClient, online } from '../support/memory-client.js';
import { createTestNode, tokenFor } from '../support/test-worker.js';
import { turns } from '../support/until.js';

const MANY = 10_001;
const PING: Frame = { type: FrameType.ping, opaque: 1 };

function many(frame: Frame, count: number): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, () => encodeFrame(frame)));
}

test('session floods: more frames in a second than any client needs end the connection', async (t) => {
  const node = createTestNode();
  for (const [deviceId, frame] of [
    ['pings', PING],
    ['reports', { type: FrameType.report, measurements: {} }],
    ['cancels', { type: FrameType.cancel, requestId: 1 }],
  ] as const) {
    const client = await online(node, deviceId);
    client.transport.receive(many(frame, MANY));
    await turns();
    t.is(client.transport.closed?.code, CloseCode.policyViolation, deviceId);
  }
});

test('session floods: as many over two seconds are served', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'busy');
  for (let second = 0; second < 2; second++) {
    client.transport.receive(many(PING, MANY - 1));
    await turns();
    node.advance(1_000);
  }
  t.is(client.of(FrameType.pong).length, 2 * (MANY - 1));
  t.is(client.transport.closed, undefined);
});

test('session floods: pieces of a frame are no frames, empty messages are', async (t) => {
  const node = createTestNode();
  const stream = await online(node, 'stream');
  stream.transport.receive(Buffer.from([0, 0xff, 0xff, FrameType.report]));
  for (let i = 0; i < MANY; i++) stream.transport.receive(Buffer.alloc(1));
  t.is(stream.transport.closed, undefined);
  const messages = new MemoryClient(node, WEBSOCKET_ENVELOPE);
  messages.send(connectFrame(tokenFor('messages')));
  await turns();
  for (let i = 0; i < MANY; i++) messages.transport.receive(Buffer.alloc(0));
  t.is(messages.transport.closed?.code, CloseCode.policyViolation);
});

test('session floods: JOIN, LEAVE and AUTH are held to the request rate', async (t) => {
  const node = createTestNode({ limits: { requestsPerSecond: 2 } });
  const client = await online(node, 'hasty');
  for (let requestId = 1; requestId <= 8; requestId += 2) {
    client.send({ type: FrameType.leave, requestId, businessId: 1, group: 'room-1' });
    client.send({ type: FrameType.join, requestId: requestId + 1, businessId: 1, group: 'room-1' });
  }
  client.send({ type: FrameType.auth, requestId: 9, token: 'x' });
  await turns();
  const answers = client.of(FrameType.response);
  t.is(answers.length, 9);
  const limited = answers.filter(({ metadata }) => metadata['trunkline-reason'] === 'rate');
  t.deepEqual(
    limited.map(({ requestId, status }) => [requestId, status]),
    [5, 6, 7, 8, 9].map((requestId) => [requestId, Status.resourceExhausted]),
  );
});

test('session floods: answers that nobody reads are bounded in number too', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'deaf');
  client.transport.takesWrites = false;
  for (let second = 0; second < 4 && client.transport.closed === undefined; second++) {
    client.transport.receive(many(PING, 9_000));
    await turns();
    node.advance(1_000);
  }
  t.is(client.transport.closed?.code, CloseCode.slowConsumer);
});
