import test from 'ava';
import type { UpstreamCall } from '../../actors/ports.js';
import type { OverloadLevel } from '../../actors/worker.js';
import { CloseCode, encodeFrame, type Frame, FrameType, GoAwayReason, Status } from '../../protocol/index.js';
import { WEBSOCKET_ENVELOPE } from '../../transports/index.js';
import { connectFrame, MemoryClient, online } from '../support/memory-client.js';
import { createTestNode, INCARNATION, tokenFor } from '../support/test-worker.js';
import { turns } from '../support/until.js';

const DEVICE = { app: 'demo', deviceId: 'a' };
const MESSAGE = { businessId: 1, messageId: 'm-1', metadata: { k: 'v' }, payload: Buffer.from('yo') };

test('session: PING is answered with the same number', async (t) => {
  const client = await online(createTestNode(), 'a');
  client.send({ type: FrameType.ping, opaque: 2 ** 53 - 1 });
  await turns();
  t.is(client.of(FrameType.pong)[0]?.opaque, 2 ** 53 - 1);
});

test('session: what has no answer gets none, and unknown extensions are skipped', async (t) => {
  const client = await online(createTestNode(), 'a');
  client.send(
    { type: FrameType.pong, opaque: 1 },
    { type: FrameType.response, requestId: 9, status: 0, metadata: {}, payload: Buffer.alloc(0) },
    { type: FrameType.ack, businessId: 1, sequence: 5 },
    { type: FrameType.report, measurements: { 'rtt-ms': '5' } },
    { type: FrameType.cancel, requestId: 3 },
  );
  for (const type of [0x40, 0xff]) client.sendRaw(type, Buffer.from('anything'));
  await turns();
  t.is(client.frames().length, 1);
  t.is(client.transport.closed, undefined);
});

const CONNECT_AGAIN = encodeFrame(connectFrame(tokenFor('a'))).subarray(4);
const empty = new Uint8Array(0);

const OFFENCES: Readonly<Record<string, { type: number; body: Uint8Array; code: number }>> = {
  'a second CONNECT': { type: FrameType.connect, body: CONNECT_AGAIN, code: CloseCode.unexpectedFrame },
  'an unknown type below 0x40': { type: 0x3f, body: empty, code: CloseCode.unexpectedFrame },
  'type 0': { type: 0, body: empty, code: CloseCode.unexpectedFrame },
  'a PUSH': { type: FrameType.push, body: Buffer.from([1, 0, 0, 0]), code: CloseCode.unexpectedFrame },
  'a GAP': { type: FrameType.gap, body: Buffer.from([1, 0, 0, 1]), code: CloseCode.unexpectedFrame },
  'a GOAWAY': { type: FrameType.goaway, body: Buffer.from([1, 0, 0]), code: CloseCode.unexpectedFrame },
  'bytes left over': { type: FrameType.ping, body: Buffer.from([1, 1]), code: CloseCode.malformedFrame },
  'a missing field': { type: FrameType.ping, body: empty, code: CloseCode.malformedFrame },
};

for (const [what, { type, body, code }] of Object.entries(OFFENCES)) {
  test(`session: ${what} closes with ${code}, and frames before it count`, async (t) => {
    const node = createTestNode();
    const client = await online(node, 'a');
    client.send({ type: FrameType.ping, opaque: 1 });
    client.sendRaw(type, body);
    client.send({ type: FrameType.ping, opaque: 2 });
    await turns();
    t.deepEqual(
      client.frames().map((frame) => frame.type),
      [FrameType.connack, FrameType.pong, FrameType.close],
    );
    t.is(client.closeCode, code);
    t.is(client.transport.closed?.code, code);
    t.is(node.worker.counters.closes.get(code), 1);
    t.deepEqual([node.worker.sessions.size, node.actors.connections], [0, 0]);
  });
}

test('session: the agreed frame limit holds after the login', async (t) => {
  const client = await online(createTestNode({ limits: { frameBytes: 20_000 } }), 'a');
  client.sendRaw(0x41, Buffer.alloc(20_000));
  t.is(client.transport.closed, undefined);
  client.transport.receive(Buffer.from([0, 0x4e, 0x21, 0x41]));
  t.is(client.closeCode, CloseCode.frameTooLarge);
});

test('session: on WebSocket a message holds whole frames, or none', async (t) => {
  const client = new MemoryClient(createTestNode(), WEBSOCKET_ENVELOPE);
  client.send(connectFrame(tokenFor('a')));
  await turns();
  client.transport.receive(empty);
  client.send({ type: FrameType.ping, opaque: 1 }, { type: FrameType.ping, opaque: 2 });
  await turns();
  t.deepEqual(
    client.of(FrameType.pong).map(({ opaque }) => opaque),
    [1, 2],
  );
  client.transport.receive(Buffer.from([0, 0, 1, 3]));
  t.is(client.closeCode, CloseCode.malformedFrame);
});

test('session: a violation of the wire closes', async (t) => {
  const client = await online(createTestNode(), 'a');
  client.transport.handler.onViolation('text message on a binary protocol');
  t.is(client.closeCode, CloseCode.malformedFrame);
});

test('session: the client may leave', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  client.send({ type: FrameType.close, code: CloseCode.normal, reason: '' }, { type: FrameType.ping, opaque: 1 });
  await turns();
  t.is(client.closeCode, CloseCode.normal);
  t.deepEqual(client.of(FrameType.pong), []);
  t.deepEqual(await node.router.presence({ businessId: 1, devices: [DEVICE] }), [{ online: false }]);
});

test('session: a link that is gone takes the session with it', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  t.like(await node.router.presence({ businessId: 1, devices: [DEVICE] }), [{ online: true, sinceMs: 1_000_000 }]);
  client.transport.destroy();
  await turns();
  t.deepEqual([node.worker.sessions.size, node.actors.connections], [0, 0]);
  t.is(node.worker.counters.closes.get(0), 1);
  t.deepEqual(await node.router.presence({ businessId: 1, devices: [DEVICE] }), [{ online: false }]);
});

// ---- replaced

test('session: a newer login of the device replaces the older', async (t) => {
  const node = createTestNode();
  const older = await online(node, 'a');
  const newer = await online(node, 'a');
  t.is(older.closeCode, CloseCode.replaced);
  t.is(newer.transport.closed, undefined);
  await turns();
  t.like(await node.router.presence({ businessId: 1, devices: [DEVICE] }), [
    { online: true, connectionId: `${INCARNATION}-0-2` },
  ]);
  t.deepEqual([node.worker.sessions.size, node.actors.connections], [1, 1]);
});

test('session: of two logins at the same moment the later stays, and the other is told', async (t) => {
  const node = createTestNode();
  const clients = [new MemoryClient(node), new MemoryClient(node)];
  for (const client of clients) client.send(connectFrame(tokenFor('a')));
  await turns();
  t.is(clients[0]?.closeCode, CloseCode.replaced);
  t.is(clients[1]?.connack?.status, Status.ok);
  t.is(clients[1]?.transport.closed, undefined);
  t.deepEqual([node.worker.sessions.size, node.actors.connections], [1, 1]);
  t.like(await node.router.presence({ businessId: 1, devices: [DEVICE] }), [
    { online: true, connectionId: `${INCARNATION}-0-2` },
  ]);
});

test('session: one that is closed from inside before CONNACK gives back its route and its actor', async (t) => {
  let adopted: () => void = () => {};
  const released: string[] = [];
  const node = createTestNode({
    adopt: () =>
      new Promise((resolve) => {
        adopted = () => resolve({ release: () => void released.push('actor') });
      }),
  });
  const client = await online(node, 'a');
  t.true(await node.router.disconnect({ device: DEVICE }));
  await turns();
  t.deepEqual(
    client.frames().map((frame) => frame.type),
    [FrameType.close],
  );
  t.is(client.closeCode, CloseCode.kicked);
  adopted();
  await turns();
  t.deepEqual(released, ['actor']);
  t.false(await node.router.disconnect({ device: DEVICE }));
  t.is(node.worker.counters.logins, 0);
  node.advance(20_000);
  t.is(client.frames().length, 1);
});

// ---- tokens

test('session: AUTH with a newer token of the same device replaces the old one', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  const expiresAtMs = 9_000_000;
  client.send({ type: FrameType.auth, requestId: 5, token: tokenFor('a', { expiresAtMs }) });
  await turns();
  t.like(client.response(5), { status: Status.ok, metadata: { 'expires-at-ms': '9000000' } });
  keepAlive(node, client, 3_700_000);
  t.is(client.transport.closed, undefined, 'beyond the end of the first token');
});

for (const [what, token] of Object.entries({
  'of another device': tokenFor('b'),
  'of another app': tokenFor('a', { app: 'other' }),
  'that is expired': tokenFor('a', { expiresAtMs: 1 }),
  'that is nonsense': 'nonsense',
})) {
  test(`session: AUTH with a token ${what} is refused, and the old one stays`, async (t) => {
    const client = await online(createTestNode(), 'a');
    client.send({ type: FrameType.auth, requestId: 5, token });
    await turns();
    t.is(client.response(5)?.status, Status.unauthenticated);
    t.is(client.transport.closed, undefined);
  });
}

test('session: an AUTH while another is open is answered 8, and the first one counts', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  const authOf = (requestId: number, expiresAtMs: number) =>
    ({ type: FrameType.auth, requestId, token: tokenFor('a', { expiresAtMs }) }) as const;
  client.send(authOf(5, 9_000_000), authOf(6, 9_500_000));
  await turns();
  t.like(client.response(5), { status: Status.ok, metadata: { 'expires-at-ms': '9000000' } });
  t.is(client.response(6)?.status, Status.resourceExhausted);
  client.send(authOf(7, 9_500_000));
  await turns();
  t.is(client.response(7)?.status, Status.ok);
  client.send({ type: FrameType.auth, requestId: 8, token: 'nonsense' });
  await turns();
  client.send(authOf(9, 9_500_000));
  await turns();
  t.deepEqual(
    [8, 9].map((id) => client.response(id)?.status),
    [Status.unauthenticated, Status.ok],
  );
});

test('session: closes with 4101 when the token ends, whatever the heartbeat', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a', tokenFor('a', { expiresAtMs: 1_000_000 + 200_000 }));
  keepAlive(node, client, 199_000);
  t.is(client.transport.closed, undefined);
  node.advance(1_500);
  await turns();
  t.is(client.closeCode, CloseCode.tokenExpired);
});

test('session: a newer token that ends sooner ends the session sooner', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  client.send({ type: FrameType.auth, requestId: 1, token: tokenFor('a', { expiresAtMs: 1_000_000 + 5_000 }) });
  await turns();
  node.advance(5_500);
  t.is(client.closeCode, CloseCode.tokenExpired);
});

test('session: a newer token changes what is granted, here and for pushes', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a', tokenFor('a', { businesses: ['im', 'live'] }));
  await node.router.createGroup({ businessId: 1, group: 'lobby' });
  client.send({ type: FrameType.join, requestId: 1, businessId: 1, group: 'lobby' });
  await turns();
  t.is(client.response(1)?.status, Status.ok);
  client.send({ type: FrameType.auth, requestId: 2, token: tokenFor('a', { businesses: ['live', 'quiet'] }) });
  await turns();
  t.is(client.response(2)?.status, Status.ok);
  t.like(client.of(FrameType.gap)[0], { businessId: 1, group: 'lobby', dropped: 0, reason: 2 });
  t.is(node.worker.groups.size, 0);
  const online3 = await node.router.presence({ businessId: 3, devices: [DEVICE] });
  t.like(online3, [{ online: true, connectionId: client.connack?.connectionId }]);
  t.deepEqual(await node.router.presence({ businessId: 1, devices: [DEVICE] }), [{ online: false }]);
  t.is(client.transport.closed, undefined, 'its own claim replaced nobody');
  client.transport.destroy();
  await turns();
  t.deepEqual(await node.router.presence({ businessId: 3, devices: [DEVICE] }), [{ online: false }]);
});

test('session: a newer token may name another user, which presence tells', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a', tokenFor('a', { uid: 'u1' }));
  client.send({ type: FrameType.auth, requestId: 2, token: tokenFor('a', { uid: 'u2' }) });
  await turns();
  t.like(await node.router.presence({ businessId: 1, devices: [DEVICE] }), [{ online: true, uid: 'u2' }]);
});

test('session: a session that ends while its route is claimed anew leaves no route', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  client.send({ type: FrameType.auth, requestId: 2, token: tokenFor('a', { businesses: ['im'] }) });
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  client.transport.destroy();
  await turns();
  t.deepEqual(await node.router.presence({ businessId: 1, devices: [DEVICE] }), [{ online: false }]);
});

// ---- heartbeats

test('session: a silent client is pinged and then closed with 4001', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  node.advance(74_000);
  await turns();
  t.deepEqual(client.of(FrameType.ping), []);
  node.advance(1_500);
  await turns();
  t.is(client.of(FrameType.ping).length, 1);
  node.advance(75_000);
  await turns();
  t.is(client.of(FrameType.ping).length, 2);
  t.is(client.transport.closed, undefined);
  node.advance(75_500);
  t.is(client.closeCode, CloseCode.heartbeatTimeout);
});

test('session: any bytes of the client are a sign of life', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  node.advance(160_000);
  client.sendRaw(0x77, empty);
  node.advance(70_000);
  await turns();
  t.is(client.transport.closed, undefined);
  t.is(client.of(FrameType.ping).length, 2);
});

// ---- pushes

test('session: a push arrives as it was sent, and its sender hears of it', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  t.deepEqual(await node.router.push({ devices: [DEVICE], message: MESSAGE }), [{ result: 'delivered' }]);
  const [push] = client.of(FrameType.push);
  t.like(push, { businessId: 1, messageId: 'm-1', multicast: undefined, sequence: undefined });
  t.deepEqual({ ...push?.metadata }, { k: 'v' });
  t.is(Buffer.from(push?.payload ?? []).toString(), 'yo');
});

test('session: a kick withdraws the business and nothing else', async (t) => {
  const node = createTestNode({ backEnd: () => Promise.resolve({ status: 0, metadata: {}, payload: empty }) });
  const client = await online(node, 'a');
  await node.router.createGroup({ businessId: 1, group: 'lobby' });
  client.send({ type: FrameType.join, requestId: 1, businessId: 1, group: 'lobby' });
  await turns();
  t.true(await node.router.kick({ businessId: 1, device: DEVICE }));
  await turns();
  t.like(client.of(FrameType.gap)[0], { businessId: 1, group: 'lobby', reason: 2 });
  client.send(request(2, { businessId: 1 }), request(3, { businessId: 2 }));
  await turns();
  t.is(client.response(2)?.status, Status.permissionDenied);
  t.is(client.response(3)?.status, Status.ok);
  t.deepEqual(await node.router.push({ devices: [DEVICE], message: MESSAGE }), [{ result: 'offline' }]);
});

test('session: disconnect closes with 4506', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  t.true(await node.router.disconnect({ device: DEVICE }));
  await turns();
  t.is(client.closeCode, CloseCode.kicked);
});

test('session: a client that does not read is closed with 4003, and its pushes are answered', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  client.transport.takesWrites = false;
  const message = { ...MESSAGE, payload: Buffer.alloc(6_000) };
  const results = [];
  for (let i = 0; i < 5; i++) {
    results.push(node.router.push({ devices: [DEVICE], message }));
    await turns(3);
  }
  t.is(client.transport.closed?.code, CloseCode.slowConsumer);
  const [first, ...rest] = (await Promise.all(results)).map(([result]) => result);
  t.deepEqual(first, { result: 'unknown' });
  t.true(rest.every((result) => result?.result !== 'delivered'));
});

// ---- requests

/** A back-end that answers when the test says so. */
function backEnd() {
  const calls: (UpstreamCall & { answer: (status?: number, text?: string) => void })[] = [];
  const handle = (call: UpstreamCall) =>
    new Promise<{ status: number; metadata: Record<string, string>; payload: Uint8Array }>((resolve) => {
      const answer = (status = 0, text = '') =>
        resolve({ status, metadata: { by: 'test' }, payload: Buffer.from(text) });
      call.signal.addEventListener('abort', () => answer(Status.cancelled));
      calls.push({ ...call, answer });
    });
  return { calls, handle };
}

function request(requestId: number, own: Partial<Extract<Frame, { type: typeof FrameType.request }>> = {}): Frame {
  return {
    type: FrameType.request,
    requestId,
    businessId: 1,
    method: 'chat.send',
    metadata: {},
    deadlineMs: 0,
    payload: empty,
    ...own,
  };
}

test('session: a request reaches the back-end with all it needs, and the answer comes back', async (t) => {
  const { calls, handle } = backEnd();
  const client = await online(createTestNode({ backEnd: handle }), 'a', tokenFor('a', { uid: 'u1' }));
  client.send(request(7, { metadata: { trace: 'x' }, deadlineMs: 5_000, payload: Buffer.from('hi') }));
  await turns();
  t.like(calls[0], { device: DEVICE, uid: 'u1', method: 'chat.send', deadlineMs: 5_000 });
  t.deepEqual({ ...calls[0]?.metadata }, { trace: 'x' });
  t.is(calls[0]?.connectionId, client.connack?.connectionId);
  t.is(Buffer.from(calls[0]?.payload ?? []).toString(), 'hi');
  calls[0]?.answer(Status.dataLoss, 'ok');
  await turns();
  t.is(client.response(7)?.status, Status.dataLoss);
  t.deepEqual({ ...client.response(7)?.metadata }, { by: 'test' });
  t.is(Buffer.from(client.response(7)?.payload ?? []).toString(), 'ok');
});

test('session: requests run at the same time and are answered as the answers come', async (t) => {
  const { calls, handle } = backEnd();
  const client = await online(createTestNode({ backEnd: handle }), 'a');
  client.send(request(1), request(2, { businessId: 2 }), request(3));
  await turns();
  t.is(calls.length, 3);
  for (const index of [2, 0, 1]) {
    calls[index]?.answer();
    await turns(2);
  }
  t.deepEqual(
    client.of(FrameType.response).map(({ requestId }) => requestId),
    [3, 1, 2],
  );
});

test('session: CANCEL ends a request with status 1, once', async (t) => {
  const { calls, handle } = backEnd();
  const client = await online(createTestNode({ backEnd: handle }), 'a');
  client.send(request(1));
  client.send({ type: FrameType.cancel, requestId: 1 }, { type: FrameType.cancel, requestId: 2 });
  await turns();
  t.true(calls[0]?.signal.aborted);
  calls[0]?.answer();
  client.send({ type: FrameType.cancel, requestId: 1 });
  await turns();
  t.deepEqual(
    client.of(FrameType.response).map(({ status }) => status),
    [Status.cancelled],
  );
});

test('session: an id that is open is taken, and free again after its answer', async (t) => {
  const { calls, handle } = backEnd();
  const client = await online(createTestNode({ backEnd: handle }), 'a');
  client.send(request(1), request(1));
  await turns();
  t.is(calls.length, 1);
  t.is(client.response(1)?.status, Status.alreadyExists);
  calls[0]?.answer();
  await turns();
  client.send(request(1));
  await turns();
  t.is(calls.length, 2);
  t.deepEqual(
    client.of(FrameType.response).map(({ status }) => status),
    [Status.alreadyExists, Status.ok],
  );
});

test('session: more requests than agreed are answered 8, and room comes back', async (t) => {
  const { calls, handle } = backEnd();
  const client = await online(createTestNode({ backEnd: handle, limits: { inFlight: 2 } }), 'a');
  client.send(request(1), request(2), request(3));
  await turns();
  t.is(client.response(3)?.status, Status.resourceExhausted);
  calls[0]?.answer();
  await turns();
  client.send(request(4));
  await turns();
  t.is(calls.length, 3);
});

test('session: a business that is not granted, unknown or without back-end is refused', async (t) => {
  const { calls, handle } = backEnd();
  const client = await online(createTestNode({ backEnd: handle }), 'a', tokenFor('a', { businesses: ['im', 'quiet'] }));
  client.send(request(1, { businessId: 2 }), request(2, { businessId: 999 }), request(3, { businessId: 3 }));
  await turns();
  t.deepEqual(
    [1, 2, 3].map((id) => client.response(id)?.status),
    [Status.permissionDenied, Status.permissionDenied, Status.unimplemented],
  );
  t.is(calls.length, 0);
});

test('session: a back-end port that breaks its promise is unavailable', async (t) => {
  const client = await online(createTestNode({ backEnd: () => Promise.reject(new Error('broken')) }), 'a');
  client.send(request(1));
  await turns();
  t.is(client.response(1)?.status, Status.unavailable);
});

test('session: its end aborts the requests under way', async (t) => {
  const { calls, handle } = backEnd();
  const node = createTestNode({ backEnd: handle });
  const client = await online(node, 'a');
  client.send(request(1), request(2));
  await turns();
  t.false([...node.worker.sessions.values()][0]?.isIdle);
  client.transport.destroy();
  await turns();
  t.true(calls.every(({ signal }) => signal.aborted));
  t.deepEqual(client.of(FrameType.response), []);
});

// ---- drain

test('session: draining tells the client, refuses new pushes and still answers', async (t) => {
  const { calls, handle } = backEnd();
  const node = createTestNode({ backEnd: handle });
  const client = await online(node, 'a');
  await node.router.createGroup({ businessId: 1, group: 'lobby' });
  client.send({ type: FrameType.join, requestId: 1, businessId: 1, group: 'lobby' });
  await turns();
  const [session] = node.worker.sessions.values();
  session?.drain(GoAwayReason.draining, 4_000);
  session?.drain(GoAwayReason.draining, 4_000);
  await turns();
  t.deepEqual(client.of(FrameType.goaway), [
    { type: FrameType.goaway, reason: GoAwayReason.draining, windowMs: 4_000, accessPoint: '' },
  ]);
  t.deepEqual(await node.router.push({ devices: [DEVICE], message: MESSAGE }), [
    { result: 'dropped', reason: 'closed' },
  ]);
  t.like(await node.router.multicast({ group: 'lobby', message: MESSAGE }), { members: 0 });
  client.send(request(2), { type: FrameType.join, requestId: 3, businessId: 1, group: 'lobby' });
  await turns();
  calls[0]?.answer();
  await turns();
  t.is(client.response(2)?.status, Status.ok);
  t.is(client.response(3)?.status, Status.unavailable);
  t.deepEqual(client.of(FrameType.push), []);
  t.true(session?.isIdle);
  session?.close(CloseCode.goingAway, 'node stops');
  t.is(client.closeCode, CloseCode.goingAway);
});

test('session: what was queued before the drain still leaves, before CLOSE', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  const [session] = node.worker.sessions.values();
  client.transport.takesWrites = false;
  client.send({ type: FrameType.ping, opaque: 1 });
  await turns();
  const pushing = node.router.push({ devices: [DEVICE], message: MESSAGE });
  await turns();
  session?.drain(GoAwayReason.draining, 1_000);
  client.transport.take();
  t.deepEqual(await pushing, [{ result: 'delivered' }]);
  client.send({ type: FrameType.ping, opaque: 2 });
  session?.close(CloseCode.goingAway, 'node stops');
  t.deepEqual(
    client.frames().map((frame) => frame.type),
    [FrameType.connack, FrameType.pong, FrameType.push, FrameType.goaway, FrameType.pong, FrameType.close],
  );
});

/** Moves the clock in steps, with a sign of life of the client in each. */
function keepAlive(node: ReturnType<typeof createTestNode>, client: MemoryClient, ms: number): void {
  for (let left = ms; left > 0; left -= 50_000) {
    client.sendRaw(0x77, empty);
    node.advance(Math.min(left, 50_000));
  }
}

// ---- calls of back-ends

const CALL = { businessId: 1, method: 'lamp.on', metadata: { k: 'v' }, payload: Buffer.from('?'), deadlineMs: 60_000 };

function answerTo(requestId: number, status = 0, text = ''): Frame {
  return { type: FrameType.response, requestId, status, metadata: { seen: 'yes' }, payload: Buffer.from(text) };
}

test('session: a call arrives as a REQUEST and is answered once', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  const calling = node.router.call({ device: DEVICE, call: CALL });
  await turns();
  const [request] = client.of(FrameType.request);
  t.like(request, { businessId: 1, method: 'lamp.on', deadlineMs: 60_000 });
  t.false(node.worker.sessions.get(1)?.isIdle);
  client.send(answerTo(9_999, 0, 'nobody asked'), answerTo(request?.requestId as number, 99, 'on'));
  client.send(answerTo(request?.requestId as number, 0, 'again'));
  const reply = await calling;
  t.deepEqual([reply.status, reply.metadata['seen'], Buffer.from(reply.payload).toString()], [99, 'yes', 'on']);
  t.true(node.worker.sessions.get(1)?.isIdle);
  t.is(node.worker.counters.calls, 1);
  t.is(client.transport.closed, undefined);
});

test('session: more calls than a device may have open are refused, also those that were given up', async (t) => {
  const node = createTestNode({ limits: { inFlight: 2 } });
  const client = await online(node, 'a');
  const aborter = new AbortController();
  const given = node.router.call({ device: DEVICE, call: { ...CALL, signal: aborter.signal } });
  void node.router.call({ device: DEVICE, call: CALL });
  await turns();
  aborter.abort();
  t.is((await given).status, Status.cancelled);
  t.like(await node.router.call({ device: DEVICE, call: CALL }), { status: Status.resourceExhausted });
  const [first] = client.of(FrameType.request);
  t.is(client.of(FrameType.cancel)[0]?.requestId, first?.requestId);
  client.send(answerTo(first?.requestId as number, Status.cancelled));
  const third = node.router.call({ device: DEVICE, call: CALL });
  await turns();
  client.send(answerTo(client.of(FrameType.request).at(-1)?.requestId as number, 0, 'now'));
  t.is((await third).status, 0);
});

test('session: the end of the connection ends its calls', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  const calling = node.router.call({ device: DEVICE, call: CALL });
  await turns();
  client.transport.destroy();
  t.like(await calling, { status: Status.unavailable, metadata: { 'trunkline-reason': 'connection lost' } });
});

test('session: a session that drains, lost the business or does not read takes no call', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  const session = node.worker.sessions.get(1);
  client.transport.takesWrites = false;
  session?.send({ type: FrameType.pong, opaque: 1 });
  await turns();
  const large = { ...CALL, payload: Buffer.alloc(3 * 1024 * 1024) };
  const aborter = new AbortController();
  const waiting = node.router.call({ device: DEVICE, call: { ...large, signal: aborter.signal } });
  t.is((await node.router.call({ device: DEVICE, call: large })).status, Status.resourceExhausted);
  aborter.abort();
  await waiting;
  client.transport.take();
  await node.router.kick({ businessId: 1, device: DEVICE });
  t.like(await node.router.call({ device: DEVICE, call: CALL }), { status: Status.unavailable });
  session?.drain(GoAwayReason.draining, 1_000);
  const other = { ...CALL, businessId: 2 };
  t.like(await node.router.call({ device: DEVICE, call: other }), {
    status: Status.unavailable,
    metadata: { 'trunkline-reason': 'the connection ends' },
  });
  t.is(client.of(FrameType.request).length, 1);
});

// ---- options of pushes

test('session: droppable pushes and multicasts are shed from overload level 2 on, others are not', async (t) => {
  let level: OverloadLevel = 0;
  const node = createTestNode({ overloadLevel: () => level });
  const client = await online(node, 'a');
  await node.router.createGroup({ businessId: 1, group: 'room-1' });
  client.send({ type: FrameType.join, requestId: 1, businessId: 1, group: 'room-1' });
  await turns();
  const droppable = { ...MESSAGE, droppable: true };
  const push = (message: typeof MESSAGE) => node.router.push({ devices: [DEVICE], message });
  t.deepEqual(await push(droppable), [{ result: 'delivered' }]);
  level = 1;
  t.deepEqual(await push(droppable), [{ result: 'delivered' }]);
  level = 2;
  t.deepEqual(await push(droppable), [{ result: 'dropped', reason: 'overload' }]);
  t.deepEqual(await push(MESSAGE), [{ result: 'delivered' }]);
  t.like(await node.router.multicast({ group: 'room-1', message: droppable }), { members: 0, unanswered: 1 });
  t.like(await node.router.multicast({ group: 'room-1', message: MESSAGE }), { members: 1, unanswered: 0 });
  t.is(client.of(FrameType.push).length, 4);
});

test('session: what expired on the way to the worker is not sent', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  const message = { ...MESSAGE, ttlMs: 10 };
  const pushing = node.router.push({ devices: [DEVICE], message });
  // The look-up, and no turn, in which the batch would arrive.
  for (let i = 0; i < 5; i++) await Promise.resolve();
  node.advance(1_000);
  t.deepEqual(await pushing, [{ result: 'expired' }]);
  t.deepEqual(client.of(FrameType.push), []);
});
