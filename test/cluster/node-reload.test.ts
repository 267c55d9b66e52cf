/**
 * Reloads of a real node while devices are connected: what changes under them, and what is refused whole. Serial, because
 * a node each at once takes longer than one after the other.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { NodeNotRunningError, RestartNeededError } from '../../cluster/index.js';
import type { NodeConfig } from '../../config/index.js';
import { CloseCode, FrameType, GapReason, Status } from '../../protocol/index.js';
import { nextEvent } from '../sdk/client-fixture.js';
import { createCertificate } from '../support/certificate.js';
import { eventually, startTestNode, TEST_KEYS, type TestNode } from '../support/start-test-node.js';
import { crash, watchThreads } from '../support/watch-threads.js';
import { startBackEnd } from '../upstream/real-back-end.js';

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;
type Draft = Mutable<NodeConfig>;

const NEXT_KEY = 'test-im-key-of-tomorrow';
const IM_PUSH = '/v1/apps/demo/devices/ada/push';
const LIVE_PUSH = '/v1/apps/demo/devices/ada/push';

/** Reloads the node with its first configuration, changed. */
function reload(node: TestNode, change: (draft: Draft) => void) {
  const draft = structuredClone(node.config) as Draft;
  change(draft);
  return node.handle.reload(draft);
}

function business(draft: Draft, name: string): Draft['businesses'][string] {
  const found = draft.businesses[name];
  if (found === undefined) throw new Error(`no business ${name}`);
  return found;
}

const push = (node: TestNode, key: string, path = IM_PUSH) =>
  node.call('POST', path, { key, body: { payload: 'hello' } });

test.serial('reload: new keys work at once, removed ones stop, and connections live on', async (t) => {
  const node = await startTestNode(t);
  const client = await node.online('ada');
  const moves: string[] = [];
  client.on('state', ({ state }) => moves.push(state));
  t.is((await push(node, NEXT_KEY)).status, 401);

  const both = await reload(node, (draft) => {
    business(draft, 'im').keys = [TEST_KEYS.im, NEXT_KEY];
  });
  t.deepEqual(both.changed, ['businesses.im.keys']);
  t.is((await push(node, NEXT_KEY)).json.result, 'delivered');
  t.is((await push(node, TEST_KEYS.im)).json.result, 'delivered');

  await reload(node, (draft) => {
    business(draft, 'im').keys = [NEXT_KEY];
    for (const app of Object.values(draft.apps)) app.keys = ['app-key-of-tomorrow'];
  });
  t.is((await push(node, TEST_KEYS.im)).status, 401);
  t.is((await push(node, NEXT_KEY)).json.result, 'delivered');
  const body = { app: 'demo', deviceId: 'eve' };
  t.is((await node.call('POST', '/v1/tokens', { key: TEST_KEYS.app, body })).status, 401);
  t.is((await node.call('POST', '/v1/tokens', { key: 'app-key-of-tomorrow', body })).status, 200);
  t.deepEqual(moves, []);
});

test.serial('reload: a business that no longer serves an app is withdrawn from live connections', async (t) => {
  const node = await startTestNode(t);
  const { token } = await node.issueToken('ada');
  const device = await node.rawLink();
  t.is((await device.login(token)).businesses.length, 2);
  await node.call('PUT', '/v1/groups/stage-1', { key: TEST_KEYS.live });
  device.send({ type: FrameType.join, requestId: 1, businessId: 2, group: 'stage-1' });
  t.is((await device.next(FrameType.response)).status, Status.ok);

  const { changed } = await reload(node, (draft) => {
    draft.apps['other'] = { ...(draft.apps['demo'] as Draft['apps'][string]), keys: ['key-of-the-other-app'] };
    business(draft, 'live').apps = ['other'];
  });
  t.deepEqual(changed, ['apps.other', 'businesses.live.apps']);
  t.like(await device.next(FrameType.gap), { group: 'stage-1', reason: GapReason.membershipEnded });
  t.is((await push(node, TEST_KEYS.live, LIVE_PUSH)).status, 403);
  device.send({ type: FrameType.join, requestId: 2, businessId: 2, group: 'stage-1' });
  t.is((await device.next(FrameType.response)).status, Status.permissionDenied);
  t.is((await push(node, TEST_KEYS.im)).json.result, 'delivered');

  // Its old token still says `live`; the configuration has the last word.
  const again = await node.rawLink();
  t.deepEqual(
    (await again.login(token)).businesses.map(({ name }) => name),
    ['im'],
  );

  await node.handle.reload(node.config);
  await eventually(async () => (await push(node, TEST_KEYS.live, LIVE_PUSH)).status === 200);
  t.is((await push(node, TEST_KEYS.live, LIVE_PUSH)).json.result, 'offline');
  const third = await node.rawLink();
  t.is((await third.login(token)).businesses.length, 2);
  t.is((await push(node, TEST_KEYS.live, LIVE_PUSH)).json.result, 'delivered');
});

test.serial('reload: a new business serves the next login, one that goes takes its grants along', async (t) => {
  const node = await startTestNode(t);
  await node.online('ada');
  await reload(node, (draft) => {
    draft.businesses['news'] = { ...business(draft, 'live'), id: 3, keys: ['key-of-the-news-business'] };
    Reflect.deleteProperty(draft.businesses, 'live');
  });
  t.is((await push(node, TEST_KEYS.live)).status, 401);
  t.is((await push(node, 'key-of-the-news-business')).json.result, 'offline');
  t.is((await push(node, TEST_KEYS.im)).json.result, 'delivered');
  const bea = await node.online('bea');
  const got = new Promise((resolve) => bea.business('news').onPush((message) => resolve(message.text())));
  const answer = await push(node, 'key-of-the-news-business', '/v1/apps/demo/devices/bea/push');
  t.is(answer.json.result, 'delivered');
  t.is(await got, 'hello');
});

test.serial('reload: limits, heartbeat and retry count from now on', async (t) => {
  const hung = await startBackEnd(t, () => {});
  const node = await startTestNode(t, { upstreamUrl: hung.url });
  const device = await node.rawDevice('ada');
  const ask = (requestId: number) =>
    device.send({
      type: FrameType.request,
      requestId,
      businessId: 1,
      method: 'x',
      metadata: {},
      deadlineMs: 0,
      payload: new Uint8Array(0),
    });
  ask(1);
  await eventually(() => hung.received.length === 1);
  await reload(node, (draft) => {
    draft.limits.inFlight = 1;
    draft.heartbeat.intervalMs = 12_345;
    draft.retry.maxMs = 20_000;
  });
  ask(2);
  t.like(await device.next(FrameType.response), { requestId: 2, status: Status.resourceExhausted });
  const next = await (await node.rawLink()).login((await node.issueToken('bea')).token);
  t.like(next, { heartbeatMs: 12_345, maxInFlight: 1 });
  const bootstrap = await fetch(`http://${node.handle.addresses.services['ControlActor']}/v1/bootstrap`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ app: 'demo' }),
  });
  t.like(await bootstrap.json(), { heartbeat: { intervalMs: 12_345 }, retry: { maxMs: 20_000 } });
  t.is((await node.handle.status()).limits.inFlight, 1);
});

test.serial('reload: requests under way end at the old back-end, new ones go to the new', async (t) => {
  const held: (() => void)[] = [];
  const before = await startBackEnd(t, (_request, response) => held.push(() => response.end('before')));
  const after = await startBackEnd(t, (_request, response) => response.end('after'));
  const node = await startTestNode(t, { upstreamUrl: before.url });
  const im = (await node.online('ada')).business('im');
  const first = im.request('x', '');
  await eventually(() => held.length === 1);
  const { changed } = await reload(node, (draft) => {
    const { upstream } = business(draft, 'im');
    if (upstream !== undefined) upstream.url = after.url;
  });
  t.deepEqual(changed, ['businesses.im.upstream.url']);
  t.is((await im.request('x', '')).text(), 'after');
  held[0]?.();
  t.is((await first).text(), 'before');
  t.is(before.received.length, 1);

  await reload(node, (draft) => Reflect.deleteProperty(business(draft, 'im'), 'upstream'));
  t.like(await t.throwsAsync(im.request('x', '')), { status: Status.unimplemented });
});

test.serial('reload: an app that goes takes its devices along', async (t) => {
  const node = await startTestNode(t);
  const device = await node.rawDevice('ada');
  const { token } = await node.issueToken('ada');
  await reload(node, (draft) => {
    draft.apps = { other: { ...(draft.apps['demo'] as Draft['apps'][string]), keys: ['key-of-the-other-app'] } };
    for (const each of Object.values(draft.businesses)) each.apps = ['other'];
  });
  t.like(await device.next(FrameType.close), { code: CloseCode.invalidToken });
  await device.ended;
  const again = await node.rawLink();
  t.is((await again.login(token)).status, Status.unauthenticated);
  t.is((await push(node, TEST_KEYS.im)).status, 403);
});

test.serial('reload: origins of pages count at once, for bootstraps and for WebSockets', async (t) => {
  const node = await startTestNode(t);
  const control = `http://${node.handle.addresses.services['ControlActor']}/v1/bootstrap`;
  const preflight = (origin: string) =>
    fetch(control, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
  t.is((await preflight('https://any.example')).status, 204);
  await reload(node, (draft) => {
    for (const app of Object.values(draft.apps)) app.origins = ['https://shop.example'];
  });
  t.is((await preflight('https://any.example')).status, 403);
  t.is((await preflight('https://shop.example')).status, 204);
  const upgrade = (origin: string) =>
    fetch(node.ws.replace('ws:', 'http:'), { headers: { origin } }).then(({ status }) => status);
  t.not(await upgrade('https://any.example'), 101);
});

test.serial('reload: limits of admission and of the bridge count at once', async (t) => {
  const node = await startTestNode(t);
  const first = await node.rawDevice('ada');
  await reload(node, (draft) => {
    draft.limits.connectionsPerIp = 1;
    business(draft, 'live').requestsPerSecond = 1;
  });
  // Cut off on accept, which may be before this side knows that it was accepted.
  await node.rawLink().then(
    ({ ended }) => ended,
    () => {},
  );
  t.true(first.isOpen);
  const statuses = await Promise.all([1, 2, 3, 4].map(async () => (await push(node, TEST_KEYS.live)).status));
  t.deepEqual(statuses.toSorted(), [200, 200, 429, 429]);
});

test.serial('reload: a renewed certificate is shown at once', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-reload-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const files = createCertificate(dir);
  const node = await startTestNode(t, { access: { tls: { port: 0, ...files } } });
  const shown = async () => {
    const socket = connectTls({ ...parseAddress(node.handle.addresses.tls ?? ''), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const before = await shown();
  createCertificate(dir);
  t.deepEqual((await node.handle.reload(node.config)).changed, []);
  t.not(await shown(), before);
});

test.serial('reload: refused whole when a setting takes a restart', async (t) => {
  const node = await startTestNode(t);
  const error = await t.throwsAsync(
    reload(node, (draft) => {
      draft.node.workers = 1;
      draft.access.ws = null;
      draft.private.port = 1;
      draft.limits.frameBytes = 4_096;
      draft.limits.inFlight = 1;
      business(draft, 'im').keys = [NEXT_KEY];
      business(draft, 'live').id = 9;
    }),
    { instanceOf: RestartNeededError, code: 'TRK_RESTART_NEEDED' },
  );
  const refused = ['node.workers', 'access.ws', 'private.port', 'limits.frameBytes', 'businesses.live.id'];
  t.deepEqual(error.settings, refused);
  t.is((await push(node, NEXT_KEY)).status, 401);
  const { limits, config } = await node.handle.status();
  t.is(limits.inFlight, 64);
  t.is(config.reloads, 0);
});

test.serial('reload: the id of a business that goes is not inherited', async (t) => {
  const node = await startTestNode(t);
  const error = await t.throwsAsync(
    reload(node, (draft) => {
      draft.businesses['heir'] = { ...business(draft, 'live'), keys: ['key-of-the-heir-business'] };
      Reflect.deleteProperty(draft.businesses, 'live');
    }),
    { instanceOf: RestartNeededError },
  );
  t.deepEqual(error.settings, ['businesses.heir.id']);
});

test.serial('reload: the same again changes nothing; two at once come one after the other', async (t) => {
  const node = await startTestNode(t);
  t.deepEqual((await node.handle.reload(structuredClone(node.config))).changed, []);
  const [first, second] = await Promise.all([
    reload(node, (draft) => {
      draft.limits.inFlight = 7;
    }),
    reload(node, (draft) => {
      draft.limits.groups = 8;
    }),
  ]);
  t.deepEqual(first.changed, ['limits.inFlight']);
  t.deepEqual(second.changed, ['limits.inFlight', 'limits.groups']);
  const { limits, config } = await node.handle.status();
  t.like(limits, { inFlight: 64, groups: 8 });
  t.is(config.reloads, 3);
});

test.serial('reload: a node that stops takes none', async (t) => {
  const node = await startTestNode(t);
  const stopped = node.handle.stop();
  await t.throwsAsync(node.handle.reload(node.config), { instanceOf: NodeNotRunningError });
  await stopped;
});

test.serial('reload: a worker that starts again has the configuration in force', async (t) => {
  const { node, threads } = await startWatched(t);
  await reload(node, (draft) => {
    draft.limits.inFlight = 3;
    business(draft, 'live').apps = [];
  });
  const placed = await node.onlineOnBothWorkers('ada');
  const back = placed.map(({ client }) => nextEvent(client, 'online'));
  for (const thread of [...threads]) crash(thread);
  for (const event of await Promise.all(back)) t.deepEqual(event.businesses, ['im']);
  const connack = await (await node.rawLink()).login((await node.issueToken('eve')).token);
  t.is(connack.maxInFlight, 3);
});

function parseAddress(address: string): { host: string; port: number } {
  const [host = '', port = ''] = address.split(':');
  return { host, port: Number(port) };
}

async function startWatched(t: ExecutionContext): Promise<{ node: TestNode; threads: readonly Worker[] }> {
  const threads = watchThreads(t);
  return { node: await startTestNode(t), threads };
}
