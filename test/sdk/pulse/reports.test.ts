/** REPORT of a whole client, over a real link, with a clock that the test moves. */
import test from 'ava';
import { FrameType } from '../../../protocol/index.js';
import { reportOf } from '../../../sdk/pulse/measurements.js';
import { nextEvent, startClient, startServer } from '../client-fixture.js';
import { ManualClock } from '../manual-clock.js';

test('reports: one at the login, then one in every interval, with round trips, pings and losses', async (t) => {
  const clock = new ManualClock();
  const server = await startServer(t);
  server.onBootstrap = () => ({
    body: server.bootstrap({ protocols: ['tcp'], report: { share: 1, intervalMs: 50_000 } }),
  });
  const client = startClient(t, server, { clock });
  const connected = client.connect();
  const peer = await server.accept();
  await peer.login();
  await connected;
  const first = { pings: '0', lost: '0', 'heartbeat-ms': '60000', protocol: 'tcp' };
  const { opaque } = await peer.next(FrameType.ping);
  const login = { 'connect-ms': '0', 'login-ms': '0', why: 'only', losers: '0' };
  t.deepEqual({ ...(await peer.next(FrameType.report)).measurements }, { ...first, ...login });
  clock.advance(40);
  // Our own ping shows that the client has read the pong.
  peer.send({ type: FrameType.pong, opaque }, { type: FrameType.ping, opaque: 7 });
  await peer.next(FrameType.pong);
  clock.advance(49_960);
  t.like((await peer.next(FrameType.report)).measurements, { 'rtt-ms': '40', pings: '1', lost: '0' });

  // Of the last that was received, not of the report.
  clock.advance(10_040);
  await peer.next(FrameType.ping);
  const offline = nextEvent(client, 'offline');
  clock.advance(60_000);
  await offline;
  // None was answered since the report before, so it asked once more.
  await peer.next(FrameType.ping);
  t.false('why' in (await peer.next(FrameType.report)).measurements);
  clock.advance(1);
  const next = await server.accept();
  await next.login();
  await next.next(FrameType.ping);
  t.like((await next.next(FrameType.report)).measurements, { lost: '1', protocol: 'tcp' });
});

for (const [what, report, options] of [
  ['the draw falls outside the share', { share: 0.5, intervalMs: 10_000 }, {}],
  ['the share is 0', { share: 0, intervalMs: 10_000 }, { random: () => 0 }],
  ['the control layer does not ask', undefined, { random: () => 0 }],
  ['the application does not want it', { share: 1, intervalMs: 10_000 }, { measurements: false }],
] as const) {
  test(`reports: none when ${what}`, async (t) => {
    const clock = new ManualClock();
    const server = await startServer(t);
    server.onBootstrap = () => ({ body: server.bootstrap({ protocols: ['tcp'], report }) });
    const client = startClient(t, server, { clock, ...options });
    const connected = client.connect();
    const peer = await server.accept();
    await peer.login();
    await connected;
    clock.advance(50_000);
    const answered = client.business('im').request('x');
    peer.respond((await peer.next(FrameType.request)).requestId);
    await answered;
    t.is(peer.unread, 0);
  });
}

test('reports: say how the connection came about, in whole numbers, and leave out what is not known', (t) => {
  const measured = { resolveMs: 1.4, connectMs: 20.6, secureMs: undefined, loginMs: 30, rttMs: 90.2 };
  const login = { protocol: 'wss', why: 'raced', losers: 2 };
  t.deepEqual(reportOf({ ...login, ...measured, pings: 1, lost: 0, heartbeatMs: 60_000 }), {
    protocol: 'wss',
    why: 'raced',
    losers: '2',
    'resolve-ms': '1',
    'connect-ms': '21',
    'login-ms': '30',
    'rtt-ms': '90',
    pings: '1',
    lost: '0',
    'heartbeat-ms': '60000',
  });
});
