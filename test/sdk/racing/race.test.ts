import test from 'ava';
import { CloseCode, FrameType } from '../../../protocol/index.js';
import { tcpConnector, webMemory } from '../../../sdk/node.js';
import { connackFrame } from '../../support/scripted-server.js';
import { eventually } from '../../support/start-test-node.js';
import { nextEvent, settled, startClient, startServer } from '../client-fixture.js';
import { ManualClock } from '../manual-clock.js';
import { HangingConnector } from './hanging-connector.js';

const RACING = { delayMs: 250, maxParallel: 3 };

test('racing: where the first choice hangs, the next starts after the delay and wins, and the first is given up', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({
    body: server.bootstrap({
      protocols: ['tls', 'tcp'],
      accessPoints: { tls: ['dark:1'], tcp: [server.tcp] },
      racing: { delayMs: 100, maxParallel: 2 },
    }),
  });
  const clock = new ManualClock();
  const dark = new HangingConnector();
  const client = startClient(t, server, { clock, transports: { tls: dark.connect, tcp: tcpConnector } });
  const online = nextEvent(client, 'online');
  const connected = client.connect();
  await eventually(() => dark.open === 1);
  clock.advance(99);
  await settled();
  t.is(server.unaccepted, 0);
  clock.advance(1);
  await (await server.accept()).login();
  await connected;
  t.like(await online, { why: 'raced', losers: 0, protocol: 'tcp' });
  t.is(dark.open, 0);
});

test('racing: a failure starts the next at once, and the winner says how many lost', async (t) => {
  const server = await startServer(t);
  const dead = await startServer(t);
  await dead.stop();
  server.onBootstrap = () => ({ body: server.bootstrap({ accessPoints: { tcp: [dead.tcp], ws: [server.ws] } }) });
  const client = startClient(t, server, { clock: new ManualClock() });
  const online = nextEvent(client, 'online');
  void client.connect();
  await (await server.accept()).login();
  t.like(await online, { why: 'fallback', losers: 1, protocol: 'ws' });
});

test('racing: the control layer’s first choice wins as such, and what is alone is alone', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server);
  const online = nextEvent(client, 'online');
  void client.connect();
  await (await server.accept()).login();
  t.like(await online, { why: 'first', losers: 0 });
});

test('racing: one link logs in at a time; the other is ready and leaves without a word', async (t) => {
  const server = await startServer(t);
  const clock = new ManualClock();
  const client = startClient(t, server, { clock });
  const connected = client.connect();
  const first = await server.accept();
  await first.next(FrameType.connect);
  clock.advance(250);
  const second = await server.accept();
  await settled();
  t.is(second.unread, 0);
  first.send(connackFrame());
  await connected;
  await second.ended;
  t.is(second.unread, 0, 'neither CONNECT nor CLOSE');
});

test('racing: an overdue login passes to the link that is ready, and its own end is not taken for a stranger’s', async (t) => {
  const server = await startServer(t);
  const clock = new ManualClock();
  const client = startClient(t, server, { clock });
  const online = nextEvent(client, 'online');
  const connected = client.connect();
  const silent = await server.accept();
  await silent.next(FrameType.connect);
  clock.advance(250);
  const second = await server.accept();
  // The link is open on this side too when the overdue one is told to go.
  await eventually(() => {
    clock.advance(8 * RACING.delayMs);
    return silent.unread === 1;
  });
  t.is((await silent.next(FrameType.close)).code, CloseCode.goingAway);
  await second.login();
  await connected;
  t.like(await online, { why: 'fallback', losers: 1 });

  // The CONNECT that was given up reaches the server late and ends the winner.
  const offline = nextEvent(client, 'offline');
  second.close(CloseCode.replaced);
  t.like(await offline, { code: CloseCode.replaced, advice: 'reconnect' });
  const again = nextEvent(client, 'online');
  clock.advance(1_000);
  const third = await server.accept();
  await third.login();
  await again;

  // A while later no such CONNECT is under way any more.
  clock.advance(15_000);
  const stays = nextEvent(client, 'offline');
  third.close(CloseCode.replaced);
  t.like(await stays, { code: CloseCode.replaced, advice: 'stay-away' });
});

test('racing: nobody starts another login while one is answered in time, however many links open', async (t) => {
  const server = await startServer(t);
  const clock = new ManualClock();
  server.onBootstrap = () => ({
    body: server.bootstrap({ protocols: ['tcp'], accessPoints: { tcp: [server.tcp, server.tcp, server.tcp] } }),
  });
  const client = startClient(t, server, { clock });
  const connected = client.connect();
  const first = await server.accept();
  await first.next(FrameType.connect);
  clock.advance(250);
  const second = await server.accept();
  clock.advance(250);
  const third = await server.accept();
  first.send(connackFrame());
  await connected;
  await Promise.all([second.ended, third.ended]);
  t.is(second.unread + third.unread, 0);
});

test('racing: a refusal that no other would answer better ends the race', async (t) => {
  const server = await startServer(t);
  const clock = new ManualClock();
  const client = startClient(t, server, { clock });
  const connected = client.connect();
  const first = await server.accept();
  await first.next(FrameType.connect);
  clock.advance(250);
  const second = await server.accept();
  first.close(CloseCode.kicked);
  await t.throwsAsync(connected, { code: 'TRK_CONNECT_FAILED' });
  await second.ended;
  t.is(second.unread, 0);
});

test('racing: as many at a time as allowed; one that hangs too long gives its place to the next', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({
    body: server.bootstrap({
      protocols: ['tls', 'tcp'],
      accessPoints: { tls: ['dark:1', 'dark:2', 'dark:3'], tcp: [server.tcp] },
      racing: { delayMs: 100, maxParallel: 2 },
    }),
  });
  const clock = new ManualClock();
  const dark = new HangingConnector();
  const client = startClient(t, server, { clock, transports: { tls: dark.connect, tcp: tcpConnector } });
  const online = nextEvent(client, 'online');
  void client.connect();
  await eventually(() => dark.open === 1);
  clock.advance(799);
  t.deepEqual([dark.dialled, dark.open], [['dark:1', 'dark:2'], 2]);
  clock.advance(1);
  t.deepEqual([dark.dialled, dark.open], [['dark:1', 'dark:2', 'dark:3'], 2]);
  clock.advance(100);
  await (await server.accept()).login();
  t.like(await online, { why: 'fallback', losers: 2 });
  t.is(dark.open, 0);
});

test('racing: can be switched off; each then waits for the failure of the one before', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({
    body: server.bootstrap({ protocols: ['tls', 'tcp'], accessPoints: { tls: ['dark:1'], tcp: [server.tcp] } }),
  });
  const clock = new ManualClock();
  const dark = new HangingConnector();
  const transports = { tls: dark.connect, tcp: tcpConnector };
  const client = startClient(t, server, { clock, transports, racing: false, connectTimeoutMs: 7_000 });
  const online = nextEvent(client, 'online');
  void client.connect();
  await eventually(() => dark.open === 1);
  clock.advance(6_999);
  await settled();
  t.is(server.unaccepted, 0);
  clock.advance(1);
  await (await server.accept()).login();
  t.like(await online, { why: 'fallback', losers: 1 });
});

test('racing: what won on a network goes first there, in later clients too, until its time is over', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({
    body: server.bootstrap({ protocols: ['tls', 'tcp'], accessPoints: { tls: ['dark:1'], tcp: [server.tcp] } }),
  });
  const clock = new ManualClock();
  const memory = webMemory();
  const dark = new HangingConnector();
  const whyIn = async (network: string, useMemory = true): Promise<unknown> => {
    const client = startClient(t, server, {
      clock,
      memory: useMemory ? memory : false,
      attributes: { network },
      transports: { tls: dark.connect, tcp: tcpConnector },
    });
    const online = nextEvent(client, 'online');
    void client.connect();
    // One that starts first needs no delay, so none is given to it.
    const before = dark.dialled.length;
    await eventually(() => dark.dialled.length > before || server.unaccepted > 0);
    if (dark.dialled.length > before) clock.advance(250);
    await (await server.accept()).login();
    const { why } = await online;
    client.close();
    return why;
  };
  t.is(await whyIn('wifi'), 'raced');
  t.is(await whyIn('wifi'), 'remembered');
  t.is(await whyIn('wifi', false), 'raced');
  t.is(await whyIn('cellular'), 'raced');
  clock.advance(599_000);
  t.is(await whyIn('wifi'), 'remembered', 'almost ten minutes later');
  clock.advance(1_000);
  t.is(await whyIn('wifi'), 'raced', 'the better one had its chance');
  clock.advance(1_100_000);
  t.is(await whyIn('wifi'), 'remembered', 'for twice the time now');
});

test('racing: each attempt is measured in steps', async (t) => {
  const { Connection } = await import('../../../sdk/connection.js');
  const server = await startServer(t);
  const clock = new ManualClock(0);
  let isOpen = false;
  const connection = new Connection({
    target: { protocol: 'tcp', accessPoint: 'x:1' },
    connector: (_, handlers) => tcpConnector(server.tcp.replace('127.0.0.1', 'localhost'), handlers),
    token: 'token',
    attributes: {},
    timeoutMs: 10_000,
    clock,
    signal: new AbortController().signal,
    onProgress: (open) => {
      clock.advance(10);
      isOpen = open;
    },
  });
  const peer = await server.accept();
  await eventually(() => isOpen);
  clock.advance(500);
  connection.login();
  clock.advance(7);
  await peer.login();
  await connection.opened;
  t.deepEqual(Object.keys(connection.timings).sort(), ['connectMs', 'loginMs', 'resolveMs']);
  t.is(connection.timings.loginMs, 7, 'the time in which it stood open is not counted');
  connection.close();
});
