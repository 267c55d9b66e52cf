import test from 'ava';
import { CloseCode, FrameType } from '../../protocol/index.js';
import { allEvents, nextEvent, startClient, startOnline, startServer } from './client-fixture.js';
import { ManualClock } from './manual-clock.js';

for (const protocol of ['tcp', 'ws'] as const) {
  test(`reconnect: a ${protocol} link that is cut comes back with the same token`, async (t) => {
    const server = await startServer(t);
    server.onBootstrap = () => ({ body: server.bootstrap({ protocols: [protocol] }) });
    const client = startClient(t, server);
    const connected = client.connect();
    const peer = await server.accept();
    await peer.login();
    await connected;
    const offline = nextEvent(client, 'offline');
    const online = nextEvent(client, 'online');
    peer.cut();
    t.like(await offline, { code: undefined, advice: 'reconnect' });
    const connect = await (await server.accept()).login({ connectionId: 'c-2' });
    t.is(connect.token, 'token-1');
    t.is((await online).connectionId, 'c-2');
    t.is(server.bootstraps.length, 1);
  });
}

test('reconnect: the delay grows with each failure, by the settings of the bootstrap', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({
    body: server.bootstrap({ protocols: ['tcp'], retry: { minMs: 1_000, maxMs: 3_000 } }),
  });
  const clock = new ManualClock();
  const client = startClient(t, server, { clock });
  void client.connect();
  const delays: unknown[] = [];
  for (let i = 0; i < 4; i++) {
    const peer = await server.accept();
    await peer.next(FrameType.connect);
    const offline = nextEvent(client, 'offline');
    peer.cut();
    const { nextAttemptMs } = await offline;
    delays.push(nextAttemptMs);
    t.is(client.state, 'waiting');
    clock.advance(nextAttemptMs ?? 0);
  }
  t.deepEqual(delays, [500, 1_000, 1_500, 1_500]);
});

test('reconnect: a hint that the network is back ends the wait', async (t) => {
  let hint = (): void => {};
  const server = await startServer(t);
  const clock = new ManualClock();
  server.onBootstrap = () => ({ body: server.bootstrap({ retry: { minMs: 60_000, maxMs: 60_000 } }) });
  const client = startClient(t, server, {
    clock,
    networkHints: (onHint) => {
      hint = onHint;
      return () => {
        hint = () => t.fail('subscribed after the end');
      };
    },
  });
  const connected = client.connect();
  const peer = await server.accept();
  await peer.login();
  await connected;
  const offline = nextEvent(client, 'offline');
  peer.cut();
  t.is((await offline).nextAttemptMs, 30_000);
  const online = nextEvent(client, 'online');
  hint();
  await (await server.accept()).login();
  await online;
  t.pass();
});

test('reconnect: a hint while online probes the link, and a dead one is replaced within seconds', async (t) => {
  let hint = (): void => {};
  const clock = new ManualClock();
  const { server, client, peer } = await startOnline(t, {
    clock,
    networkHints: (onHint) => {
      hint = onHint;
      return () => {};
    },
  });
  const offline = nextEvent(client, 'offline');
  hint();
  await peer.next(FrameType.ping);
  clock.advance(5_000);
  t.is((await offline).code, CloseCode.heartbeatTimeout);
  clock.advance(1);
  await (await server.accept()).login();
});

test('reconnect: Retry-After is waited for, hint or not, and jitter comes on top', async (t) => {
  let hint = (): void => {};
  const server = await startServer(t);
  const clock = new ManualClock();
  let busy = true;
  server.onBootstrap = () =>
    busy
      ? { status: 503, headers: { 'retry-after': '7' }, body: { title: 'Busy', code: 'TRK_NOT_READY' } }
      : { body: server.bootstrap() };
  const client = startClient(t, server, {
    clock,
    networkHints: (onHint) => {
      hint = onHint;
      return () => {};
    },
  });
  const offline = nextEvent(client, 'offline');
  const connected = client.connect();
  t.is((await offline).nextAttemptMs, 7_250);
  busy = false;
  hint();
  t.is(client.state, 'waiting');
  clock.advance(7_000);
  hint();
  await (await server.accept()).login();
  await connected;
  t.is(server.bootstraps.length, 2);
});

for (const code of [CloseCode.replaced, CloseCode.kicked]) {
  test(`reconnect: ${code} keeps the client away until connect is called`, async (t) => {
    const { server, client, peer } = await startOnline(t);
    const offline = nextEvent(client, 'offline');
    const request = client.business('im').request('slow');
    await peer.next(FrameType.request);
    peer.close(code, 'why');
    t.like(await offline, { code, reason: 'why', advice: 'stay-away', nextAttemptMs: undefined });
    await t.throwsAsync(request, { code: 'TRK_CONNECTION_LOST' });
    t.is(client.state, 'closed');
    const connected = client.connect();
    await (await server.accept()).login();
    await connected;
    t.is(client.state, 'online');
  });
}

test('reconnect: an expired token on a live connection is fetched anew', async (t) => {
  const { server, client, peer } = await startOnline(t);
  server.onBootstrap = () => ({ body: server.bootstrap({ token: 'token-2' }) });
  const online = nextEvent(client, 'online');
  peer.close(CloseCode.tokenExpired);
  t.is((await (await server.accept()).login()).token, 'token-2');
  await online;
});

test('reconnect: can be asked for, while online and while waiting', async (t) => {
  const clock = new ManualClock();
  const { server, client, peer } = await startOnline(t, { clock });
  const offline = allEvents(client, 'offline');
  const second = nextEvent(client, 'online');
  client.reconnect();
  t.is((await peer.next(FrameType.close)).code, CloseCode.goingAway);
  const peer2 = await server.accept();
  await peer2.login();
  await second;
  const wait = nextEvent(client, 'offline');
  peer2.cut();
  await wait;
  const third = nextEvent(client, 'online');
  client.reconnect();
  await (await server.accept()).login();
  await third;
  t.is(offline.length, 2);
});

test('reconnect: close says goodbye, ends the link and stays closed', async (t) => {
  const { server, client, peer } = await startOnline(t);
  client.close();
  t.is((await peer.next(FrameType.close)).code, CloseCode.normal);
  await peer.ended;
  t.is(client.state, 'closed');
  client.close();
  client.reconnect();
  t.is(client.state, 'closed');
  t.is(server.unaccepted, 0);
});
