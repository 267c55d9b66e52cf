import test from 'ava';
import { CloseCode, FrameType } from '../../protocol/index.js';
import { connackFrame } from '../support/scripted-server.js';
import { allEvents, nextEvent, startClient, startOnline, startServer } from './client-fixture.js';
import { ManualClock } from './manual-clock.js';

const goaway = (windowMs: number, accessPoint = '') => ({ type: FrameType.goaway, reason: 1, windowMs, accessPoint });

test('GOAWAY: the client moves at its moment, serving until then, without ever being offline', async (t) => {
  const clock = new ManualClock();
  const { server, client, peer } = await startOnline(t, { clock });
  const states = allEvents(client, 'state');
  const told = nextEvent(client, 'goaway');
  peer.send(goaway(10_000));
  t.deepEqual(await told, { type: 'goaway', reason: 1, windowMs: 10_000, moveInMs: 5_000 });

  clock.advance(4_999);
  const answer = client.business('im').request('still-there');
  peer.respond((await peer.next(FrameType.request)).requestId, 0, 'yes');
  t.is((await answer).text(), 'yes');
  t.is(server.unaccepted, 0);

  const online = nextEvent(client, 'online');
  clock.advance(1);
  const next = await server.accept();
  await next.login({ connectionId: 'c-2' });
  t.is((await online).connectionId, 'c-2');
  t.is((await peer.next(FrameType.close)).code, CloseCode.goingAway);
  await peer.ended;
  t.deepEqual(states, []);
});

test('GOAWAY: a request under way is waited for, within the window', async (t) => {
  const clock = new ManualClock();
  const { server, client, peer } = await startOnline(t, { clock });
  const told = nextEvent(client, 'goaway');
  peer.send(goaway(10_000));
  await told;
  const answer = client.business('im').request('slow', '', { deadlineMs: 60_000 });
  const { requestId } = await peer.next(FrameType.request);
  clock.advance(9_000);
  t.is(server.unaccepted, 0);
  const online = nextEvent(client, 'online');
  peer.respond(requestId, 0, 'done');
  t.is((await answer).text(), 'done');
  await (await server.accept()).login();
  await online;
});

test('GOAWAY: from its moment on new requests wait for the next connection, so that none is lost', async (t) => {
  const clock = new ManualClock();
  const { server, client, peer } = await startOnline(t, { clock });
  const told = nextEvent(client, 'goaway');
  peer.send(goaway(500));
  await told;
  const first = client.business('im').request('under-way', '', { deadlineMs: 60_000 });
  const { requestId } = await peer.next(FrameType.request);
  clock.advance(400);
  const second = client.business('im').request('held', '', { deadlineMs: 60_000 });
  clock.advance(1_000);
  t.is(server.unaccepted, 0);
  peer.respond(requestId, 0, 'done');
  t.is((await first).text(), 'done');
  const next = await server.accept();
  await next.login();
  const held = await next.next(FrameType.request);
  t.is(held.method, 'held');
  next.respond(held.requestId, 0, 'there');
  t.is((await second).text(), 'there');
});

test('GOAWAY: two seconds after the window the client moves, whatever is under way', async (t) => {
  const clock = new ManualClock();
  const { server, client, peer } = await startOnline(t, { clock });
  const told = nextEvent(client, 'goaway');
  peer.send(goaway(10_000));
  await told;
  const answer = client.business('im').request('endless', '', { deadlineMs: 60_000 });
  await peer.next(FrameType.request);
  clock.advance(11_999);
  t.is(server.unaccepted, 0);
  clock.advance(1);
  await (await server.accept()).login();
  await t.throwsAsync(answer, { code: 'TRK_CONNECTION_LOST' });
});

test('GOAWAY: a link that ends early is replaced at the planned moment', async (t) => {
  const clock = new ManualClock();
  const { server, client, peer } = await startOnline(t, { clock });
  const told = nextEvent(client, 'goaway');
  peer.send(goaway(10_000));
  await told;
  clock.advance(2_000);
  const offline = nextEvent(client, 'offline');
  peer.close(CloseCode.goingAway, 'bye');
  t.like(await offline, { code: 4000, advice: 'reconnect', nextAttemptMs: 3_000 });
  const online = nextEvent(client, 'online');
  clock.advance(3_000);
  await (await server.accept()).login();
  await online;
});

test('GOAWAY: the old connection may be closed as replaced before the new login is answered', async (t) => {
  const { server, client, peer } = await startOnline(t);
  const states = allEvents(client, 'state');
  peer.send(goaway(0));
  const next = await server.accept();
  await next.next(FrameType.connect);
  const handshaking = nextEvent(client, 'state');
  peer.close(CloseCode.replaced);
  t.is((await handshaking).state, 'handshaking');
  const online = nextEvent(client, 'online');
  next.send(connackFrame());
  await online;
  t.deepEqual(
    states.map(({ state }) => state),
    ['handshaking', 'online'],
  );
});

test('GOAWAY: where nobody lets the client in, the old connection serves on and the client tries again', async (t) => {
  const { server, client, peer } = await startOnline(t);
  const error = nextEvent(client, 'error');
  peer.send(goaway(0));
  for (let i = 0; i < 2; i++) (await server.accept()).cut();
  t.is((await error).error.message.startsWith('not connected'), true);
  t.is(client.state, 'online');
  const answer = client.business('im').request('still-there');
  peer.respond((await peer.next(FrameType.request)).requestId, 0, 'yes');
  t.is((await answer).text(), 'yes');
  const online = nextEvent(client, 'online');
  await (await server.accept()).login();
  await online;
});

for (const protocol of ['tcp', 'ws'] as const) {
  test(`GOAWAY: the access point it names is tried first, over ${protocol} as before`, async (t) => {
    const server = await startServer(t);
    const other = await startServer(t);
    server.onBootstrap = () => ({ body: server.bootstrap({ protocols: [protocol] }) });
    const client = startClient(t, server);
    const connected = client.connect();
    const peer = await server.accept();
    await peer.login();
    await connected;
    const online = nextEvent(client, 'online');
    const hostPort = other[protocol].replace(/^ws:..|.connect$/g, '');
    peer.send(goaway(0, hostPort));
    const next = await other.accept();
    t.is(next.protocol, protocol);
    await next.login();
    t.is((await online).accessPoint, other[protocol]);
  });
}
