import { readFileSync } from 'node:fs';
import test from 'ava';
import { CloseCode, FrameType, Status } from '../../protocol/index.js';
import { BootstrapError, ClientClosedError, ConnectError, NoTransportError, SDK_VERSION } from '../../sdk/index.js';
import { connackFrame } from '../support/scripted-server.js';
import { allEvents, nextEvent, startClient, startServer } from './client-fixture.js';
import { ManualClock } from './manual-clock.js';

for (const protocol of ['tcp', 'ws'] as const) {
  test(`login: over ${protocol}, through every state, with token and attributes in CONNECT`, async (t) => {
    const server = await startServer(t);
    server.onBootstrap = () => ({ body: server.bootstrap({ protocols: [protocol] }) });
    const client = startClient(t, server, { attributes: { 'app-version': '7' } });
    const states = allEvents(client, 'state');
    const online = nextEvent(client, 'online');
    const connected = client.connect();
    const peer = await server.accept();
    const connect = await peer.login({ connectionId: 'c-42' });
    await connected;

    t.is(peer.protocol, protocol);
    t.is(connect.token, 'token-1');
    t.deepEqual([connect.minVersion, connect.maxVersion, connect.resume], [1, 1, undefined]);
    t.deepEqual({ ...connect.attributes }, { 'sdk-version': SDK_VERSION, platform: 'node', 'app-version': '7' });
    t.deepEqual(
      states.map(({ state }) => state),
      ['bootstrapping', 'connecting', 'handshaking', 'online'],
    );
    t.deepEqual(await online, {
      type: 'online',
      connectionId: 'c-42',
      protocol,
      accessPoint: server[protocol],
      deviceId: 'd-1',
      businesses: ['im', 'live'],
      why: 'only',
      losers: 0,
    });
    t.is(client.state, 'online');
    t.is(client.deviceId, 'd-1');
  });
}

test('login: the version told to servers is the package version', (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.is(SDK_VERSION, version);
});

test('login: connect while online is done at once, and several callers share one connection', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server);
  const both = [client.connect(), client.connect()];
  await (await server.accept()).login();
  await Promise.all(both);
  await client.connect();
  t.is(server.unaccepted, 0);
});

test('login: frames in the same write as CONNACK are not lost', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server);
  const pushed = new Promise<string>((resolve) => client.business('im').onPush((push) => resolve(push.text())));
  const connected = client.connect();
  const peer = await server.accept();
  await peer.next(FrameType.connect);
  const push = { type: FrameType.push, businessId: 1, messageId: 'm', metadata: {}, payload: Buffer.from('early') };
  peer.send(connackFrame(), push);
  await connected;
  t.is(await pushed, 'early');
});

test('login: a refusal with a code of 4500 or above closes the client for good', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server);
  const offline = nextEvent(client, 'offline');
  const connected = client.connect();
  const peer = await server.accept();
  await peer.next(FrameType.connect);
  peer.send(connackFrame({ status: Status.failedPrecondition, connectionId: '' }));
  peer.close(CloseCode.unsupportedVersion, 'only version 9');
  const error = await t.throwsAsync(connected, { instanceOf: ConnectError, code: 'TRK_CONNECT_FAILED' });
  t.is((error as ConnectError).closeCode, CloseCode.unsupportedVersion);
  t.false((error as ConnectError).retryable);
  t.is(client.state, 'closed');
  t.like(await offline, { code: 4504, reason: 'only version 9', advice: 'stay-away', nextAttemptMs: undefined });
  await t.throwsAsync(client.business('im').request('x', '', { deadlineMs: 50 }), { code: 'TRK_DEADLINE_EXCEEDED' });
});

for (const code of [CloseCode.invalidToken, CloseCode.tokenExpired]) {
  test(`login: a refusal with ${code} fetches a new token and comes back`, async (t) => {
    const server = await startServer(t);
    let serial = 0;
    server.onBootstrap = () => ({ body: server.bootstrap({ token: `token-${++serial}` }) });
    const client = startClient(t, server);
    const connected = client.connect();
    const refused = await server.accept();
    t.is((await refused.next(FrameType.connect)).token, 'token-1');
    refused.send(connackFrame({ status: Status.unauthenticated }));
    refused.close(code);
    const peer = await server.accept();
    t.is((await peer.login()).token, 'token-2');
    await connected;
    t.is(server.bootstraps.length, 2);
  });
}

test('login: an overloaded access point sends the client to the next one', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server);
  const connected = client.connect();
  const overloaded = await server.accept();
  await overloaded.next(FrameType.connect);
  overloaded.close(CloseCode.overloaded);
  const peer = await server.accept();
  t.is(peer.protocol, 'ws');
  await peer.login();
  await connected;
  t.is(server.bootstraps.length, 1);
});

test('login: access points are tried in order, and the one that worked is first the next time', async (t) => {
  const server = await startServer(t);
  const dead = await startServer(t);
  await dead.stop();
  server.onBootstrap = () => ({
    body: server.bootstrap({ accessPoints: { tcp: [dead.tcp, 'not an address'], ws: [dead.ws, server.ws] } }),
  });
  const client = startClient(t, server);
  const states = allEvents(client, 'state');
  const connected = client.connect();
  const peer = await server.accept();
  await peer.login();
  await connected;
  t.is(peer.protocol, 'ws');
  t.true(
    states.every(({ state }) => state !== 'waiting'),
    'one attempt walks them all',
  );
  const again = nextEvent(client, 'online');
  peer.cut();
  await (await server.accept()).login();
  t.is((await again).accessPoint, server.ws);
});

test('login: a server that accepts and says nothing is given up after the time-out', async (t) => {
  const server = await startServer(t);
  const clock = new ManualClock();
  const client = startClient(t, server, { clock, connectTimeoutMs: 5_000 });
  const connected = client.connect();
  const silent = await server.accept();
  await silent.next(FrameType.connect);
  clock.advance(5_000);
  t.is((await silent.next(FrameType.close)).code, CloseCode.handshakeTimeout);
  const peer = await server.accept();
  await peer.login();
  await connected;
  t.is(peer.protocol, 'ws');
});

test('login: without a transport for what is offered the client closes', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({ body: server.bootstrap({ protocols: ['quic'] }) });
  const client = startClient(t, server);
  await t.throwsAsync(client.connect(), { instanceOf: NoTransportError, code: 'TRK_NO_TRANSPORT' });
  t.is(client.state, 'closed');
});

test('login: a bootstrap that is refused for good closes the client, and connect may be called again', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({ status: 404, body: { title: 'Not Found', code: 'TRK_UNKNOWN_APP' } });
  const client = startClient(t, server);
  await t.throwsAsync(client.connect(), { instanceOf: BootstrapError, code: 'TRK_BOOTSTRAP_FAILED' });
  t.is(client.state, 'closed');
  server.onBootstrap = () => ({ body: server.bootstrap() });
  const connected = client.connect();
  await (await server.accept()).login();
  await t.notThrowsAsync(connected);
});

test('login: close while the login is under way ends it and rejects connect', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server);
  const connected = client.connect();
  const peer = await server.accept();
  await peer.next(FrameType.connect);
  client.close();
  await t.throwsAsync(connected, { instanceOf: ClientClosedError, code: 'TRK_CLIENT_CLOSED' });
  t.is((await peer.next(FrameType.close)).code, CloseCode.normal);
  await peer.ended;
});

test('login: a credentials port takes the place of the bootstrap', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server, {
    bootstrapUrl: undefined,
    app: undefined,
    credentials: async () => ({
      token: 'from-our-back-end',
      expiresAtMs: Date.now() + 60_000,
      accessPoints: { ws: [server.ws] },
    }),
  });
  const connected = client.connect();
  t.is((await (await server.accept()).login()).token, 'from-our-back-end');
  await connected;
  t.is(server.bootstraps.length, 0);
});

test('login: listeners that close the client in the middle of it leave nothing behind', async (t) => {
  const server = await startServer(t);
  const client = startClient(t, server);
  client.on('state', ({ state }) => {
    if (state === 'online') client.close();
  });
  const online = allEvents(client, 'online');
  const connected = client.connect();
  const peer = await server.accept();
  await peer.login();
  await connected;
  await peer.ended;
  t.is(client.state, 'closed');
  t.deepEqual(online, []);
});
