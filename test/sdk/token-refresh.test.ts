import test from 'ava';
import { FrameType, Status } from '../../protocol/index.js';
import { nextEvent, settled, startClient, startServer } from './client-fixture.js';
import { ManualClock } from './manual-clock.js';

const LIFE_MS = 100_000;

test('token refresh: AUTH on the live connection at 80 % of the life, and again for the next token', async (t) => {
  const server = await startServer(t);
  const clock = new ManualClock();
  let serial = 0;
  server.onBootstrap = () => ({
    body: server.bootstrap({ token: `token-${++serial}`, expiresAtMs: clock.nowMs() + LIFE_MS }),
  });
  const client = startClient(t, server, { clock });
  const connected = client.connect();
  const peer = await server.accept();
  await peer.login({ serverTimeMs: clock.nowMs(), heartbeatMs: 10 * LIFE_MS });
  await connected;
  for (const count of [1, 2]) {
    await settled();
    clock.advance(0.8 * LIFE_MS - 1);
    t.is(server.bootstraps.length, count);
    const refreshed = nextEvent(client, 'token-refreshed');
    clock.advance(1);
    const auth = await peer.next(FrameType.auth);
    t.is(auth.token, `token-${count + 1}`);
    peer.respond(auth.requestId);
    t.is((await refreshed).expiresAtMs, clock.nowMs() + LIFE_MS);
  }
});

test('token refresh: the life is counted by the server’s clock', async (t) => {
  const server = await startServer(t);
  const clock = new ManualClock();
  const serverNowMs = clock.nowMs() + 86_400_000;
  server.onBootstrap = () => ({ body: server.bootstrap({ expiresAtMs: serverNowMs + LIFE_MS }) });
  const client = startClient(t, server, { clock });
  const connected = client.connect();
  const peer = await server.accept();
  await peer.login({ serverTimeMs: serverNowMs, heartbeatMs: 10 * LIFE_MS });
  await connected;
  clock.advance(0.8 * LIFE_MS);
  t.is((await peer.next(FrameType.auth)).token, 'token-1');
});

test('token refresh: a failure is told and tried again, and a refused token is not used for a login', async (t) => {
  const server = await startServer(t);
  const clock = new ManualClock();
  let serial = 0;
  server.onBootstrap = () => ({
    body: server.bootstrap({ token: `token-${++serial}`, expiresAtMs: clock.nowMs() + LIFE_MS }),
  });
  const client = startClient(t, server, { clock });
  const connected = client.connect();
  const peer = await server.accept();
  await peer.login({ serverTimeMs: clock.nowMs(), heartbeatMs: 10 * LIFE_MS });
  await connected;
  const error = nextEvent(client, 'error');
  clock.advance(0.8 * LIFE_MS);
  peer.respond((await peer.next(FrameType.auth)).requestId, Status.unauthenticated);
  t.like((await error).error, { code: 'TRK_REQUEST_FAILED', status: Status.unauthenticated });
  clock.advance(2_000);
  const auth = await peer.next(FrameType.auth);
  t.is(auth.token, 'token-3');
  const offline = nextEvent(client, 'offline');
  peer.respond(auth.requestId, Status.unauthenticated);
  await nextEvent(client, 'error');
  peer.cut();
  clock.advance((await offline).nextAttemptMs ?? 0);
  t.is((await (await server.accept()).login()).token, 'token-4');
});

test('token refresh: ends with the connection', async (t) => {
  const server = await startServer(t);
  const clock = new ManualClock();
  server.onBootstrap = () => ({ body: server.bootstrap({ expiresAtMs: clock.nowMs() + LIFE_MS }) });
  const client = startClient(t, server, { clock });
  const connected = client.connect();
  const peer = await server.accept();
  await peer.login({ serverTimeMs: clock.nowMs() });
  await connected;
  client.close();
  t.deepEqual(clock.delaysMs, []);
});
