import test from 'ava';
import { checkBootstrap } from '../../sdk/bootstrap.js';
import {
  BootstrapError,
  memoryStorage,
  TrunklineClient,
  type TrunklineClientOptions,
  webStorage,
} from '../../sdk/index.js';
import { tcpConnector } from '../../sdk/node.js';
import { parseHostPort } from '../../sdk/transports/socket-link.js';
import { nextEvent, startClient, startServer } from './client-fixture.js';

const MINIMAL = { token: 't', expiresAtMs: 1, accessPoints: { ws: ['ws://a/connect'], tcp: ['b:1', 'c:2'] } };

test('bootstrap: the least is enough, and has defaults', (t) => {
  t.deepEqual(checkBootstrap(MINIMAL), {
    token: 't',
    expiresAtMs: 1,
    deviceId: undefined,
    deviceSecret: undefined,
    targets: [
      { protocol: 'ws', accessPoint: 'ws://a/connect' },
      { protocol: 'tcp', accessPoint: 'b:1' },
      { protocol: 'tcp', accessPoint: 'c:2' },
    ],
    offered: ['ws', 'tcp'],
    retry: { minMs: 500, maxMs: 30_000 },
    racing: undefined,
    features: {},
    limits: {},
    report: undefined,
    heartbeat: undefined,
    decisions: [],
  });
});

test('bootstrap: what the control layer decided is taken over', (t) => {
  const decided = {
    racing: { delayMs: 100, maxParallel: 2 },
    features: { newCall: true, codec: 'opus', fps: 30 },
    limits: { maxQueuedRequests: 50 },
    report: { share: 0.1, intervalMs: 60_000 },
    heartbeat: { intervalMs: 60_000, minMs: 30_000, maxMs: 300_000 },
    decisions: ['eu', 'canary'],
  };
  // The interval itself is CONNACK's to say.
  const { intervalMs, ...heartbeat } = decided.heartbeat;
  t.like(checkBootstrap({ ...MINIMAL, ...decided }), { ...decided, heartbeat });
});

test('bootstrap: protocols order the targets, and one without access points is left out', (t) => {
  const { targets } = checkBootstrap({ ...MINIMAL, protocols: ['tcp', 'quic', 'ws'] });
  t.deepEqual(
    targets.map(({ protocol }) => protocol),
    ['tcp', 'tcp', 'ws'],
  );
});

for (const [field, change] of Object.entries({
  token: { token: '' },
  expiresAtMs: { expiresAtMs: 'soon' },
  accessPoints: { accessPoints: null },
  'accessPoints.ws': { accessPoints: { ws: 'ws://a' } },
  protocols: { protocols: [1] },
  deviceId: { deviceId: 5 },
  'token, too long,': { token: 'é'.repeat(2_049) },
  retry: { retry: { minMs: 2, maxMs: 1 } },
  racing: { racing: { delayMs: 250 } },
  features: { features: 'all' },
  limits: { limits: 5 },
  report: { report: { share: 'half', intervalMs: 1 } },
  heartbeat: { heartbeat: 60 },
  decisions: { decisions: [1] },
})) {
  test(`bootstrap: a wrong ${field} is named`, (t) => {
    const [name] = field.split(',');
    const error = t.throws(() => checkBootstrap({ ...MINIMAL, ...change }), { instanceOf: BootstrapError });
    t.true(error.message.includes(`${name} is missing`), error.message);
  });
}

test('bootstrap: asks with app, identity, a fresh assertion and attributes', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = () => ({ status: 503, body: { title: 'Busy', code: 'TRK_NOT_READY' } });
  let serial = 0;
  const client = startClient(t, server, {
    deviceId: 'mine',
    deviceSecret: 's',
    assertion: async () => `assertion-${++serial}`,
    attributes: { network: 'wifi' },
  });
  void client.connect();
  await nextEvent(client, 'offline');
  client.reconnect();
  await nextEvent(client, 'offline');
  t.like(server.bootstraps[0], { app: 'demo', deviceId: 'mine', deviceSecret: 's', assertion: 'assertion-1' });
  t.like(server.bootstraps[0]?.['attributes'], { network: 'wifi', platform: 'node' });
  t.like(server.bootstraps[1], { assertion: 'assertion-2' });
});

test('bootstrap: a minted identity is kept and shown again, by the next client too', async (t) => {
  const server = await startServer(t);
  const storage = memoryStorage();
  server.onBootstrap = (body) => ({
    body: server.bootstrap(body['deviceId'] === undefined ? { deviceId: 'minted', deviceSecret: 'shh' } : {}),
  });
  for (const shown of [undefined, 'minted']) {
    const client = startClient(t, server, { storage });
    const connected = client.connect();
    await (await server.accept()).login();
    await connected;
    t.is(server.bootstraps.at(-1)?.['deviceId'], shown);
    t.deepEqual(await storage.get(), { deviceId: 'minted', deviceSecret: 'shh' });
    client.close();
  }
});

test('bootstrap: a stored identity that is refused is given up for a new one, a chosen one is not', async (t) => {
  const server = await startServer(t);
  server.onBootstrap = ({ deviceId }) =>
    deviceId === undefined
      ? { body: server.bootstrap({ deviceId: 'new', deviceSecret: 'shh' }) }
      : { status: 403, body: { title: 'Forbidden', code: 'TRK_DEVICE_NOT_PROVEN' } };
  const storage = memoryStorage({ deviceId: 'old', deviceSecret: 'lost' });
  const client = startClient(t, server, { storage });
  const connected = client.connect();
  await (await server.accept()).login();
  await connected;
  t.is(client.deviceId, 'new');
  t.deepEqual(await storage.get(), { deviceId: 'new', deviceSecret: 'shh' });
  const error = await t.throwsAsync(startClient(t, server, { deviceId: 'chosen' }).connect());
  t.like(error, { httpStatus: 403, problemCode: 'TRK_DEVICE_NOT_PROVEN', retryable: false });
});

for (const [what, answer] of Object.entries({
  'a proxy’s 403': { status: 403, body: '<html>Log in to the hotel</html>' },
  'a login page with 200': { body: '<html>Log in to the hotel</html>' },
  'a 500 without a body': { status: 500, body: '' },
  'a 429': { status: 429, body: { title: 'Slow down', code: 'TRK_RATE_LIMITED' } },
})) {
  test(`bootstrap: ${what} is tried again`, async (t) => {
    const server = await startServer(t);
    server.onBootstrap = () => answer;
    const client = startClient(t, server);
    const failed = nextEvent(client, 'error');
    const connected = client.connect();
    t.like((await failed).error, { code: 'TRK_BOOTSTRAP_FAILED', retryable: true });
    server.onBootstrap = () => ({ body: server.bootstrap() });
    await (await server.accept()).login();
    await t.notThrowsAsync(connected);
  });
}

test('bootstrap: a control layer that is away is tried again', async (t) => {
  const server = await startServer(t);
  const away = await startServer(t);
  await away.stop();
  let calls = 0;
  const client = startClient(t, server, {
    fetch: (input, init) => fetch(++calls === 1 ? away.bootstrapUrl : input, init),
  });
  const failed = nextEvent(client, 'error');
  const connected = client.connect();
  t.like((await failed).error, { code: 'TRK_BOOTSTRAP_FAILED', httpStatus: undefined });
  await (await server.accept()).login();
  await t.notThrowsAsync(connected);
});

for (const [field, options] of Object.entries({
  bootstrapUrl: { app: 'demo' },
  app: { bootstrapUrl: 'http://h' },
  transports: { app: 'demo', bootstrapUrl: 'http://h', transports: {} },
  attributes: { app: 'demo', bootstrapUrl: 'http://h', attributes: { k: 'v'.repeat(5_000) } },
  requestDeadlineMs: { app: 'demo', bootstrapUrl: 'http://h', requestDeadlineMs: 0 },
  maxQueuedRequests: { app: 'demo', bootstrapUrl: 'http://h', maxQueuedRequests: 0.5 },
} satisfies Record<string, Partial<TrunklineClientOptions>>)) {
  test(`options: a wrong ${field} is named`, (t) => {
    const make = () => new TrunklineClient({ transports: { tcp: tcpConnector }, ...options });
    t.like(t.throws(make, { code: 'TRK_INVALID_OPTION' }), { field });
  });
}

test('storage: web storage keeps, forgets, and takes rubbish for nothing', async (t) => {
  const items = new Map<string, string>();
  const storage = webStorage({
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  });
  t.is(await storage.get(), undefined);
  await storage.set({ deviceId: 'd', deviceSecret: 's' });
  t.deepEqual(await storage.get(), { deviceId: 'd', deviceSecret: 's' });
  for (const rubbish of ['{', 'null', '[]', '{"deviceId":5}']) {
    items.set('trunkline.device', rubbish);
    t.is(await storage.get(), undefined);
  }
  await storage.set(undefined);
  t.is(items.size, 0);
});

test('tcp connector: addresses are host:port, with IPv6 in brackets', (t) => {
  t.deepEqual(parseHostPort('a.example:7100'), { host: 'a.example', port: 7100 });
  t.deepEqual(parseHostPort('[::1]:7100'), { host: '::1', port: 7100 });
  for (const wrong of ['', 'a', 'a:', ':1', 'a:0', 'a:65536', '::1:7100', 'a:b', 'ws://a:1']) {
    t.is(parseHostPort(wrong), undefined, wrong);
  }
});
