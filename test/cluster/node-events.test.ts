/**
 * Connection events of a real node at a real back-end: who came, who went and why, in order, also while it stops. Serial,
 * because the threads of a node are known by the order in which this process starts them.
 */
import test, { type ExecutionContext } from 'ava';
import { CloseCode, FrameType } from '../../protocol/index.js';
import { type ConnectionEvent, verifyWebhook } from '../../sdk/backend/index.js';
import { eventually, startTestNode, TEST_KEYS, type TestNode } from '../support/start-test-node.js';
import { crash, watchThreads } from '../support/watch-threads.js';
import { type Received, startBackEnd } from '../upstream/real-back-end.js';

const BOTH = { connected: true, disconnected: true };

function eventOf({ headers, body }: Received): ConnectionEvent {
  const verdict = verifyWebhook({ headers, body, secret: TEST_KEYS.signing });
  if (!verdict.ok || verdict.event.type === 'request') throw new Error('no connection event that verifies');
  return verdict.event;
}

interface Heard {
  readonly node: TestNode;
  /** Of one device, as they came. */
  readonly of: (deviceId: string) => ConnectionEvent[];
}

/** @param status the back-end's answers; 204 by default */
async function startHeard(t: ExecutionContext, status: () => number = () => 204): Promise<Heard> {
  const events: ConnectionEvent[] = [];
  const backEnd = await startBackEnd(t, (request, response) => {
    const code = status();
    if (code < 300) events.push(eventOf(request));
    response.writeHead(code).end();
  });
  const node = await startTestNode(t, { upstreamUrl: backEnd.url, events: BOTH });
  return { node, of: (deviceId) => events.filter(({ device }) => device === deviceId) };
}

async function metricsUntil(node: TestNode, wanted: RegExp): Promise<string> {
  let text = '';
  await eventually(async () => {
    text = (await node.call('GET', '/metrics')).text;
    return wanted.test(text);
  });
  return text;
}

const told = ({ type, reason }: ConnectionEvent) => (reason === undefined ? type : `${type} ${reason}`);

test.serial('node events: a login, its end and why', async (t) => {
  const { node, of } = await startHeard(t);
  const polite = await node.rawDevice('polite');
  polite.send({ type: FrameType.close, code: CloseCode.normal, reason: '' });
  const gone = await node.rawDevice('gone');
  gone.cut();
  await node.rawDevice('closed');
  await node.call('DELETE', '/v1/apps/demo/devices/closed/connection', { key: TEST_KEYS.app });
  const kicked = await node.rawDevice('kicked');
  await node.call('POST', '/v1/apps/demo/devices/kicked/kick', { key: TEST_KEYS.im });
  await eventually(() => ['polite', 'gone', 'closed', 'kicked'].every((device) => of(device).length === 2));
  t.deepEqual(of('polite').map(told), ['connected', 'disconnected normal']);
  t.deepEqual(of('gone').map(told), ['connected', 'disconnected link-lost']);
  t.deepEqual(of('closed').map(told), ['connected', 'disconnected kicked']);
  t.deepEqual(of('kicked').map(told), ['connected', 'disconnected kicked']);
  const [connected, disconnected] = of('polite');
  t.like(connected, { app: 'demo', business: 'im', connectionId: polite.connectionId, closeCode: undefined });
  t.is(disconnected?.fence, connected?.fence);
  t.is(disconnected?.connectionId, connected?.connectionId);
  // The business was told by its kick; the connection's own end is no news to it.
  t.true(kicked.isOpen);
  kicked.cut();
  const metrics = await metricsUntil(
    node,
    /trunkline_events_total\{business="im",type="disconnected",outcome="delivered"\} 4/,
  );
  t.regex(metrics, /trunkline_events_total\{business="im",type="connected",outcome="delivered"\} 4/);
  t.regex(metrics, /trunkline_events_pending\{business="im"\} 0/);
});

test.serial('node events: a device that comes back at once is told of in the order of its fences', async (t) => {
  const { node, of } = await startHeard(t);
  for (let i = 0; i < 5; i++) await node.rawDevice('again');
  await eventually(() => of('again').length === 9);
  const events = of('again');
  t.deepEqual(events.map(told), [
    'connected',
    ...Array.from({ length: 4 }, () => ['disconnected replaced', 'connected']).flat(),
  ]);
  const fences = events.map(({ fence }) => fence);
  t.deepEqual(
    fences,
    fences.toSorted((a, b) => a - b),
  );
  t.is(new Set(events.map(({ id }) => id)).size, events.length);
});

test.serial(
  'node events: a device without the grant is no news, one that wins or loses it by a new token is',
  async (t) => {
    const { node, of } = await startHeard(t);
    const device = await node.rawLink();
    const tokenFor = async (businesses: string[]) => (await node.issueToken('changes', { businesses })).token;
    await device.login(await tokenFor(['live']));
    for (const [requestId, businesses] of [
      [1, ['im', 'live']],
      [2, ['live']],
      [3, ['im']],
    ] as const) {
      device.send({ type: FrameType.auth, requestId, token: await tokenFor([...businesses]) });
      await device.next(FrameType.response);
    }
    device.cut();
    await eventually(() => of('changes').length === 4);
    t.deepEqual(of('changes').map(told), ['connected', 'disconnected kicked', 'connected', 'disconnected link-lost']);
  },
);

test.serial('node events: a back-end that is down for a while hears everything when it is back', async (t) => {
  let status = 500;
  const { node, of } = await startHeard(t, () => status);
  const device = await node.rawDevice('patient');
  device.cut();
  await metricsUntil(node, /trunkline_events_pending\{business="im"\} 2/);
  status = 204;
  await eventually(() => of('patient').length === 2);
  t.deepEqual(of('patient').map(told), ['connected', 'disconnected link-lost']);
});

test.serial('node events: the departures of a stop are told before the node is gone', async (t) => {
  const { node, of } = await startHeard(t);
  const names = Array.from({ length: 20 }, (_, index) => `leaving-${index}`);
  await Promise.all(names.map((name) => node.rawDevice(name)));
  await node.handle.stop();
  for (const name of names) t.deepEqual(of(name).map(told), ['connected', 'disconnected going-away']);
});

test.serial('node events: a crash of an access worker ends what it held', async (t) => {
  const threads = watchThreads(t);
  const { node, of } = await startHeard(t);
  await node.rawDevice('victim');
  for (const thread of [...threads]) crash(thread);
  await eventually(() => of('victim').length === 2);
  t.deepEqual(of('victim').map(told), ['connected', 'disconnected link-lost']);
});
