import test from 'ava';
import { CloseCode, encodeFrame, FrameType, Status } from '../../protocol/index.js';
import { WEBSOCKET_ENVELOPE } from '../../transports/index.js';
import { connectFrame, MemoryClient, online } from '../support/memory-client.js';
import { claimsOf, createTestNode, DEFAULT_LIMITS, tokenFor } from '../support/test-worker.js';
import { turns } from '../support/until.js';

const PING = { type: FrameType.ping, opaque: 7 } as const;

test('handshake: CONNECT with a good token is answered by one CONNACK with the terms', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  t.is(client.frames().length, 1);
  t.like(client.connack, {
    status: Status.ok,
    version: 1,
    connectionId: '4f1c2ab09d3e5f60-0-1',
    resumed: false,
    heartbeatMs: 60_000,
    serverTimeMs: 1_000_000,
    maxFrameBytes: DEFAULT_LIMITS.frameBytes,
    maxInFlight: DEFAULT_LIMITS.inFlight,
    maxGroups: DEFAULT_LIMITS.groups,
    businesses: [
      { id: 1, name: 'im' },
      { id: 2, name: 'live' },
      { id: 3, name: 'quiet' },
    ],
  });
  t.is(client.connack?.sessionId, client.connack?.connectionId);
  t.is(client.connack?.resumeSecret.length, 0);
  t.like(node.worker.counters, { accepted: 1, logins: 1, refusedLogins: 0 });
  t.is(node.worker.sessions.size, 1);
  t.is(node.actors.connections, 1);
});

test('handshake: resume is accepted and answered with no', async (t) => {
  const node = createTestNode();
  const client = new MemoryClient(node);
  const resume = { sessionId: 's', secret: Buffer.from('x'), sequences: [{ businessId: 1, sequence: 9 }] };
  client.send(connectFrame(tokenFor('a'), { resume, attributes: { platform: 'test', unknown: 'ignored' } }));
  await turns();
  t.is(client.connack?.resumed, false);
});

test('handshake: a token that grants nothing, or only unknown businesses, is a login', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a', tokenFor('a', { businesses: ['elsewhere'] }));
  t.deepEqual(client.connack?.businesses, []);
});

interface Refused {
  readonly token: string;
  readonly versions?: readonly [number, number];
  readonly status: number;
  readonly code: number;
}

const REFUSED: Readonly<Record<string, Refused>> = {
  'an unacceptable token': { token: 'nonsense', status: Status.unauthenticated, code: CloseCode.invalidToken },
  'an expired token': {
    token: tokenFor('a', { expiresAtMs: 1_000_000 }),
    status: Status.unauthenticated,
    code: CloseCode.tokenExpired,
  },
  'a client of later versions': {
    token: tokenFor('a'),
    versions: [2, 3],
    status: Status.failedPrecondition,
    code: CloseCode.unsupportedVersion,
  },
  'a client of no version': {
    token: tokenFor('a'),
    versions: [0, 0],
    status: Status.failedPrecondition,
    code: CloseCode.unsupportedVersion,
  },
};

for (const [who, { token, versions: [minVersion, maxVersion] = [1, 1], status, code }] of Object.entries(REFUSED)) {
  test(`handshake: ${who} gets CONNACK ${status}, CLOSE ${code} and the end of the link`, async (t) => {
    const node = createTestNode();
    const client = new MemoryClient(node);
    client.send(connectFrame(token, { minVersion, maxVersion }));
    await turns();
    const [connack, close, ...more] = client.frames();
    t.like(connack, { type: FrameType.connack, status, version: 1, connectionId: '', businesses: [] });
    t.like(close, { type: FrameType.close, code });
    t.deepEqual(more, []);
    t.is(client.transport.closed?.code, code);
    t.is(node.worker.counters.refusedLogins, 1);
    t.is(node.worker.counters.closes.get(code), 1);
    t.is(node.worker.sessions.size, 0);
  });
}

test('handshake: a web page logs in devices of the apps that list its origin, and of no other', async (t) => {
  const allowsOrigin = (app: string, origin: string) => app === 'demo' && origin === 'https://demo.example';
  const node = createTestNode({ allowsOrigin });
  const loginOf = async (app: string, origin?: string) => {
    const client = new MemoryClient(node, WEBSOCKET_ENVELOPE, origin);
    client.send(connectFrame(tokenFor('a', { app })));
    await turns();
    return client;
  };
  t.is((await loginOf('demo', 'https://demo.example')).connack?.status, Status.ok);
  t.is((await loginOf('shop')).connack?.status, Status.ok);
  const before = node.worker.sessions.size;
  const foreign = await loginOf('shop', 'https://demo.example');
  t.is(foreign.connack?.status, Status.permissionDenied);
  t.is(foreign.closeCode, CloseCode.originNotAllowed);
  t.is(foreign.transport.closed?.code, CloseCode.originNotAllowed);
  t.is(node.worker.sessions.size, before);
  t.is(node.worker.counters.refusedLogins, 1);
});

test('handshake: a client of several versions is answered in ours', async (t) => {
  const client = new MemoryClient(createTestNode());
  client.send(connectFrame(tokenFor('a'), { minVersion: 1, maxVersion: 9 }));
  await turns();
  t.like(client.connack, { status: Status.ok, version: 1 });
});

test('handshake: a verifier that takes its time, or fails in a way of its own', async (t) => {
  const slow = createTestNode({
    verify: (token) => (token === 'broken' ? Promise.reject(new Error('disk')) : Promise.resolve(JSON.parse(token))),
  });
  const claims = { app: 'demo', deviceId: 'a', businesses: ['im'], groups: {}, issuedAtMs: 0, expiresAtMs: 9_000_000 };
  const good = new MemoryClient(slow);
  good.send(connectFrame(JSON.stringify(claims)));
  const broken = new MemoryClient(slow);
  broken.send(connectFrame('broken'));
  await turns();
  t.is(good.connack?.status, Status.ok);
  t.is(broken.connack?.status, Status.internal);
  t.is(broken.closeCode, CloseCode.internal);
});

/** A door for so many. */
function doorFor(places: number) {
  let inside = 0;
  return {
    isFull: () => inside >= places,
    enter: () => inside < places && ++inside > 0,
    leave: () => {
      inside -= 1;
    },
    inside: () => inside,
  };
}

test('handshake: a full node says so, without a look at the token', async (t) => {
  const door = doorFor(1);
  let judged = 0;
  const node = createTestNode({
    door,
    verify: (token) => {
      judged += 1;
      return claimsOf(token, 1_000_000);
    },
  });
  const first = await online(node, 'a');
  const second = await online(node, 'b');
  t.is(second.connack?.status, Status.resourceExhausted);
  t.is(second.closeCode, CloseCode.overloaded);
  t.is(node.worker.sessions.size, 1);
  t.is(judged, 1);
  first.transport.destroy();
  t.is(door.inside(), 0);
  t.is((await online(node, 'c')).connack?.status, Status.ok);
});

test('handshake: who finds the last place taken meanwhile is told so, and holds none', async (t) => {
  const door = { ...doorFor(1), isFull: () => false };
  const node = createTestNode({ door });
  await online(node, 'a');
  const second = await online(node, 'b');
  t.is(second.closeCode, CloseCode.overloaded);
  t.is(door.inside(), 1);
});

test('handshake: a login that fails inside gives its place back', async (t) => {
  const door = doorFor(1);
  const node = createTestNode({ door, adopt: () => Promise.reject(new Error('no actor')) });
  await online(node, 'a');
  t.is(door.inside(), 0);
});

test('handshake: a login that fails inside says so and leaves nothing behind', async (t) => {
  const node = createTestNode({ adopt: () => Promise.reject(new Error('no actor')) });
  const client = await online(node, 'a');
  t.is(client.connack?.status, Status.internal);
  t.is(client.closeCode, CloseCode.internal);
  t.is(node.worker.sessions.size, 0);
  const devices = [{ app: 'demo', deviceId: 'a' }];
  t.deepEqual(await node.router.presence({ businessId: 1, devices }), [{ online: false }]);
  t.deepEqual([...node.worker.counters.closes], [[CloseCode.internal, 1]]);
});

test('handshake: a router that fails leaves no actor behind', async (t) => {
  const node = createTestNode();
  node.engine.routes.claim = () => Promise.reject(new Error('engine away'));
  const client = await online(node, 'a');
  t.is(client.closeCode, CloseCode.internal);
  t.deepEqual([node.worker.sessions.size, node.actors.connections], [0, 0]);
});

test('handshake: a link that ends during the login takes everything back', async (t) => {
  const node = createTestNode();
  const client = new MemoryClient(node);
  client.send(connectFrame(tokenFor('a')));
  t.is(node.worker.sessions.size, 1);
  client.transport.destroy();
  await turns();
  t.deepEqual([node.worker.sessions.size, node.actors.connections], [0, 0]);
  t.is(client.connack, undefined);
  const devices = [{ app: 'demo', deviceId: 'a' }];
  t.deepEqual(await node.router.presence({ businessId: 1, devices }), [{ online: false }]);
});

test('handshake: no login within the handshake time, and not a moment sooner', async (t) => {
  for (const handshakeMs of [600, 10_000, 400_000]) {
    const node = createTestNode({ limits: { handshakeMs } });
    node.advance(130);
    const client = new MemoryClient(node);
    node.advance(handshakeMs - 1);
    t.is(client.transport.closed, undefined, `${handshakeMs}`);
    node.advance(750);
    t.is(client.transport.closed?.code, CloseCode.handshakeTimeout, `${handshakeMs}`);
    t.deepEqual(
      client.frames().map(({ type }) => type),
      [FrameType.close],
    );
  }
});

test('handshake: a login that is late for its answer is refused once', async (t) => {
  let verified: (claims: never) => void = () => {};
  const node = createTestNode({
    verify: () =>
      new Promise((resolve) => {
        verified = resolve;
      }),
  });
  const client = new MemoryClient(node);
  client.send(connectFrame('any'));
  node.advance(11_000);
  t.is(client.closeCode, CloseCode.handshakeTimeout);
  verified({ app: 'demo', deviceId: 'a', businesses: [], groups: {} } as never);
  await turns();
  t.is(client.frames().length, 1);
  t.is(node.worker.sessions.size, 0);
});

test('handshake: garbage, other frames first and too large frames close with their codes', async (t) => {
  const cases: [string, (client: MemoryClient) => void, number][] = [
    ['http', (client) => client.transport.receive(Buffer.from('GET / HTTP/1.1\r\n\r\n')), CloseCode.frameTooLarge],
    ['zeros', (client) => client.transport.receive(Buffer.alloc(64)), CloseCode.unexpectedFrame],
    ['magic', (client) => client.sendRaw(FrameType.connect, Buffer.from('TRY')), CloseCode.malformedFrame],
    ['ping first', (client) => client.send(PING), CloseCode.unexpectedFrame],
    ['extension first', (client) => client.sendRaw(0x50, Buffer.alloc(0)), CloseCode.unexpectedFrame],
    ['cut off', (client) => client.sendRaw(FrameType.connect, Buffer.from('TRK\x01')), CloseCode.malformedFrame],
    ['oversized', (client) => client.transport.receive(Buffer.from([0, 0x20, 1, 1])), CloseCode.frameTooLarge],
  ];
  for (const [name, act, code] of cases) {
    const node = createTestNode();
    const client = new MemoryClient(node);
    act(client);
    await turns(3);
    t.deepEqual(
      client.frames().map(({ type }) => type),
      [FrameType.close],
      name,
    );
    t.is(client.closeCode, code, name);
    t.is(client.transport.closed?.code, code, name);
  }
});

test('handshake: bytes left over behind the fields of CONNECT are malformed', async (t) => {
  const client = new MemoryClient(createTestNode());
  const body = encodeFrame(connectFrame(tokenFor('a'))).subarray(4);
  client.sendRaw(FrameType.connect, Buffer.concat([body, Buffer.from([0])]));
  await turns();
  t.is(client.closeCode, CloseCode.malformedFrame);
  t.is(client.connack, undefined);
});

test('handshake: a text message is malformed', (t) => {
  const client = new MemoryClient(createTestNode(), WEBSOCKET_ENVELOPE);
  client.transport.handler.onViolation('text message on a binary protocol');
  t.is(client.closeCode, CloseCode.malformedFrame);
});

test('handshake: on TCP CONNECT may come in any pieces, on WebSocket only whole', async (t) => {
  const bytes = encodeFrame(connectFrame(tokenFor('a')));
  const tcp = new MemoryClient(createTestNode());
  for (const byte of bytes) tcp.transport.receive(Uint8Array.of(byte));
  const ws = new MemoryClient(createTestNode(), WEBSOCKET_ENVELOPE);
  ws.transport.receive(bytes.subarray(0, 10));
  await turns();
  t.is(tcp.connack?.status, Status.ok);
  t.is(ws.closeCode, CloseCode.malformedFrame);
});

test('handshake: frames right behind CONNECT are applied after CONNACK, in order', async (t) => {
  const client = new MemoryClient(createTestNode());
  client.send(connectFrame(tokenFor('a')), PING, { type: FrameType.ping, opaque: 8 });
  client.send({ type: FrameType.ping, opaque: 9 });
  t.deepEqual(client.frames(), []);
  await turns();
  t.deepEqual(
    client.frames().map((frame) => (frame.type === FrameType.pong ? frame.opaque : frame.type)),
    [FrameType.connack, 7, 8, 9],
  );
});

test('handshake: a frame cut by the login is completed after it', async (t) => {
  const client = new MemoryClient(createTestNode());
  const ping = encodeFrame(PING);
  client.transport.receive(Buffer.concat([encodeFrame(connectFrame(tokenFor('a'))), ping.subarray(0, 3)]));
  await turns();
  client.transport.receive(ping.subarray(3));
  await turns();
  t.is(client.of(FrameType.pong)[0]?.opaque, 7);
});

test('handshake: frames behind a refused CONNECT are discarded, and so is everything after', async (t) => {
  const node = createTestNode();
  const client = new MemoryClient(node);
  client.send(connectFrame('nonsense'), PING);
  client.send(connectFrame(tokenFor('a')));
  await turns();
  t.deepEqual(
    client.frames().map(({ type }) => type),
    [FrameType.connack, FrameType.close],
  );
  t.is(node.worker.sessions.size, 0);
});

test('handshake: too much before the login is against the rules, however it is cut', async (t) => {
  const filler = encodeFrame({
    type: FrameType.report,
    measurements: Object.fromEntries([0, 1].map((i) => [`k${i}`, 'x'.repeat(3_500)])),
  });
  const whole = new MemoryClient(createTestNode());
  whole.send(connectFrame(tokenFor('a')));
  for (let bytes = 0; bytes <= 65_536; bytes += filler.length) whole.transport.receive(filler);
  t.is(whole.closeCode, CloseCode.policyViolation);
  await turns();
  t.is(whole.connack, undefined);

  const justSo = new MemoryClient(createTestNode());
  const connect = encodeFrame(connectFrame(tokenFor('a')));
  const fillers = Math.floor((65_536 - connect.length) / filler.length);
  justSo.transport.receive(Buffer.concat([connect, ...Array.from({ length: fillers }, () => filler)]));
  await turns();
  t.is(justSo.connack?.status, Status.ok);
});

test('handshake: a frame behind CONNECT keeps to the limit of a stranger', async (t) => {
  const client = new MemoryClient(createTestNode());
  client.send(connectFrame(tokenFor('a')), {
    type: FrameType.request,
    requestId: 1,
    businessId: 1,
    method: 'm',
    metadata: {},
    deadlineMs: 0,
    payload: Buffer.alloc(9_000),
  });
  await turns();
  t.is(client.closeCode, CloseCode.frameTooLarge);
});

test('handshake: a login on a node that stops is told to come back elsewhere', async (t) => {
  const node = createTestNode();
  node.worker.isDraining = true;
  const client = new MemoryClient(node);
  client.send(connectFrame(tokenFor('a')));
  await turns();
  t.is(client.connack?.status, Status.unavailable);
  t.is(client.transport.closed?.code, CloseCode.goingAway);
  t.is(node.worker.sessions.size, 0);
});
