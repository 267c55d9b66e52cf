import { readFileSync } from 'node:fs';
import test from 'ava';
import { CloseCode, encodeFrame, FrameType, isSentBy } from '../../protocol/index.js';
import { connackFrame } from '../support/scripted-server.js';
import { nextEvent, startClient, startOnline, startServer } from './client-fixture.js';
import { ManualClock } from './manual-clock.js';

test('wire: an extension frame is skipped', async (t) => {
  const { client, peer } = await startOnline(t);
  const answer = client.business('im').request('x');
  const { requestId } = await peer.next(FrameType.request);
  peer.sendBytes(Buffer.from('00000340010203', 'hex'));
  peer.respond(requestId, 0, 'after');
  t.is((await answer).text(), 'after');
});

test('wire: frames may arrive in any pieces', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({ body: server.bootstrap({ protocols: ['tcp'] }) });
  const client = startClient(t, server);
  const pushed = new Promise<string>((resolve) => client.business('im').onPush((push) => resolve(push.text())));
  void client.connect();
  const peer = await server.accept();
  await peer.next(FrameType.connect);
  const push = { type: FrameType.push, businessId: 1, messageId: 'm', metadata: {}, payload: Buffer.from('whole') };
  for (const byte of [...encodeFrame(connackFrame()), ...encodeFrame(push)]) {
    peer.sendBytes(Uint8Array.of(byte));
    await new Promise(setImmediate);
  }
  t.is(await pushed, 'whole');
});

for (const [what, hex, code] of [
  ['a field beyond its frame', '0000020803ff', CloseCode.malformedFrame],
  ['a length beyond the limit', 'ffffff08', CloseCode.frameTooLarge],
  ['an unknown type', '0000003f', CloseCode.unexpectedFrame],
  ['a frame only clients send', '000002090101', CloseCode.unexpectedFrame],
  ['a second CONNACK', Buffer.from(encodeFrame(connackFrame())).toString('hex'), CloseCode.unexpectedFrame],
] as const) {
  test(`wire: ${what} from the server closes with ${code}, and the client comes back`, async (t) => {
    const { server, client, peer } = await startOnline(t);
    const offline = nextEvent(client, 'offline');
    const online = nextEvent(client, 'online');
    peer.sendBytes(Buffer.from(hex, 'hex'));
    t.like(await offline, { code, advice: 'reconnect' });
    t.is((await peer.next(FrameType.close)).code, code);
    await (await server.accept()).login();
    await online;
  });
}

interface InvalidCase {
  readonly name: string;
  readonly hex: string;
  readonly closeCode: number;
  readonly maxFrameBytes?: number;
  readonly receiver?: 'client' | 'server';
}

const { cases } = JSON.parse(readFileSync('test/vectors/invalid.json', 'utf8')) as { cases: InvalidCase[] };

test('wire: every invalid stream of the vectors ends the connection with its code', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({ body: server.bootstrap({ protocols: ['tcp'] }) });
  const client = startClient(t, server);
  void client.connect();
  for (const { name, hex, closeCode, maxFrameBytes } of cases.filter(({ receiver }) => receiver !== 'server')) {
    const peer = await server.accept();
    const online = nextEvent(client, 'online');
    await peer.login(maxFrameBytes === undefined ? {} : { maxFrameBytes });
    await online;
    peer.sendBytes(Buffer.from(hex, 'hex'));
    if (name.startsWith('a good PING')) await peer.next(FrameType.pong);
    t.is((await peer.next(FrameType.close)).code, closeCode, name);
  }
});

test('wire: frames that only clients send are unexpected, well formed or not', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({ body: server.bootstrap({ protocols: ['tcp'] }) });
  const client = startClient(t, server);
  void client.connect();
  const foreign = cases.filter(({ receiver, hex }) => receiver === 'server' && !isSentBy('server', typeOf(hex)));
  t.true(foreign.length > 0);
  for (const { name, hex } of foreign) {
    const peer = await server.accept();
    const online = nextEvent(client, 'online');
    await peer.login();
    await online;
    peer.sendBytes(Buffer.from(hex, 'hex'));
    t.is((await peer.next(FrameType.close)).code, CloseCode.unexpectedFrame, name);
  }
});

function typeOf(hex: string): number {
  return Number.parseInt(hex.slice(6, 8), 16);
}

test('wire: the limit before CONNACK is the protocol’s, the limit behind it in the same write is CONNACK’s', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server);
  const pushed = new Promise<number>((resolve) =>
    client.business('im').onPush(({ payload }) => resolve(payload.length)),
  );
  void client.connect();
  const tooLarge = await server.accept();
  await tooLarge.next(FrameType.connect);
  tooLarge.sendBytes(Buffer.from('00200102', 'hex'));
  t.is((await tooLarge.next(FrameType.close)).code, CloseCode.frameTooLarge);
  const peer = await server.accept();
  await peer.next(FrameType.connect);
  const payload = new Uint8Array(100_000);
  peer.send(connackFrame(), { type: FrameType.push, businessId: 1, messageId: 'm', metadata: {}, payload });
  t.is(await pushed, 100_000);
});

for (const [wsCode, code, advice] of [
  [4506, 4506, 'stay-away'],
  [4004, 4004, 'reconnect'],
  [1009, 4502, 'stay-away'],
  [1011, undefined, 'reconnect'],
] as const) {
  test(`wire: a WebSocket close with ${wsCode} and no CLOSE before it means ${code ?? 'a lost link'}`, async (t) => {
    const server = await startServer(t);
    server.onBootstrap = () => ({ body: server.bootstrap({ protocols: ['ws'] }) });
    const client = startClient(t, server);
    const connected = client.connect();
    const peer = await server.accept();
    await peer.login();
    await connected;
    const offline = nextEvent(client, 'offline');
    peer.closeWebSocket(wsCode);
    t.like(await offline, { code, advice });
  });
}

test('wire: where CONNACK wants no heartbeat there is none', async (t) => {
  const clock = new ManualClock();
  const { client, peer } = await startOnline(t, { clock }, { heartbeatMs: 0 });
  clock.advance(3_000_000);
  const answer = client.business('im').request('x');
  peer.respond((await peer.next(FrameType.request)).requestId);
  await t.notThrowsAsync(answer);
});

test('wire: anything but CONNACK or CLOSE before the login is an error', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server);
  void client.connect();
  const peer = await server.accept();
  await peer.next(FrameType.connect);
  peer.send({ type: FrameType.goaway, reason: 1, windowMs: 0, accessPoint: '' });
  t.is((await peer.next(FrameType.close)).code, CloseCode.unexpectedFrame);
});

test('wire: a PING is answered with its number', async (t) => {
  const { peer } = await startOnline(t);
  peer.send({ type: FrameType.ping, opaque: 123_456 });
  t.is((await peer.next(FrameType.pong)).opaque, 123_456);
});

test('wire: a quiet client pings, by the interval of CONNACK; silence ends the link and the client comes back', async (t) => {
  const clock = new ManualClock();
  const { server, client, peer } = await startOnline(t, { clock }, { heartbeatMs: 1_000 });
  clock.advance(999);
  t.is(peer.unread, 0);
  clock.advance(1);
  const { opaque } = await peer.next(FrameType.ping);
  const answered = client.business('im').request('prove-life');
  const { requestId } = await peer.next(FrameType.request);
  peer.send({ type: FrameType.pong, opaque });
  peer.respond(requestId);
  await answered;
  clock.advance(1_000);
  await peer.next(FrameType.ping);
  const offline = nextEvent(client, 'offline');
  clock.advance(1_000);
  t.like(await offline, { code: CloseCode.heartbeatTimeout, advice: 'reconnect' });
  const online = nextEvent(client, 'online');
  clock.advance(1_000);
  await (await server.accept()).login();
  await online;
});

test('wire: a WebSocket text message ends the link and the client comes back', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({ body: server.bootstrap({ protocols: ['ws'] }) });
  const client = startClient(t, server);
  const connected = client.connect();
  const peer = await server.accept();
  await peer.login();
  await connected;
  const offline = nextEvent(client, 'offline');
  peer.sendBytes('text' as unknown as Uint8Array);
  t.is((await offline).reason, 'the server sent a text message');
  await (await server.accept()).login();
});
