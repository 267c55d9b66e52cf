import test from 'ava';
import type { NodeConfig } from '../../config/index.js';
import type { BootstrapAnswer } from '../../control/index.js';
import { createTokenVerifier, RevocationTable } from '../../tokens/index.js';
import { ASSERTION_SECRET, CONFIG, expectProblem, leaseOf, shopAssertion, startControl } from './fixtures.js';

const answerOf = async (response: Response) => (await response.json()) as BootstrapAnswer;

test('bootstrap: with nothing to show a device gets a new id, its secret and the public businesses', async (t) => {
  const { bootstrap, verifier } = await startControl(t);
  const response = await bootstrap({ app: 'shop' });
  t.is(response.status, 200);
  t.is(response.headers.get('cache-control'), 'no-store');
  const { deviceId, deviceSecret, token, expiresAtMs, ...rest } = await answerOf(response);
  t.deepEqual(rest, {
    app: 'shop',
    businesses: ['im'],
    accessPoints: { tcp: ['127.0.0.1:7100'], ws: ['ws://127.0.0.1:7101/connect'] },
    protocols: ['tcp', 'ws'],
    heartbeat: { intervalMs: 45_000, minMs: 45_000, maxMs: 45_000 },
    retry: { minMs: 250, maxMs: 20_000 },
  });
  t.regex(deviceId, /^[\w-]{22}$/);
  t.regex(deviceSecret ?? '', /^[\w-]{43}$/);
  const claims = verifier.verify(token);
  t.is(claims.app, 'shop');
  t.is(claims.deviceId, deviceId);
  t.is(claims.uid, undefined);
  t.deepEqual(claims.businesses, ['im']);
  t.is(claims.expiresAtMs, expiresAtMs);
  // The app's tokenTtlMs, to the second before.
  t.is(Math.ceil((expiresAtMs - claims.issuedAtMs) / 1_000), 600);
  const other = await answerOf(await bootstrap({ app: 'shop' }));
  t.not(other.deviceId, deviceId);
});

test('bootstrap: id and secret give the same id again, and no new secret', async (t) => {
  const { bootstrap, verifier } = await startControl(t);
  const first = await answerOf(await bootstrap({ app: 'shop' }));
  const { deviceId, deviceSecret } = first;
  const again = await answerOf(await bootstrap({ app: 'shop', deviceId, deviceSecret }));
  t.is(again.deviceId, deviceId);
  t.false('deviceSecret' in again);
  t.deepEqual(again.businesses, ['im']);
  t.is(verifier.verify(again.token).deviceId, deviceId);
});

test('bootstrap: an id that is not proven is refused', async (t) => {
  const { bootstrap } = await startControl(t);
  const { deviceId, deviceSecret } = await answerOf(await bootstrap({ app: 'shop' }));
  const unproven = [
    { app: 'shop', deviceId },
    { app: 'shop', deviceId, deviceSecret: 'wrong' },
    { app: 'shop', deviceId: 'chosen', deviceSecret },
    { app: 'chat', deviceId, deviceSecret },
    { app: 'shop', deviceSecret },
    { app: 'shop', deviceId: 'chosen' },
  ];
  for (const body of unproven) await expectProblem(t, await bootstrap(body), 403, 'TRK_DEVICE_NOT_PROVEN');
});

test('bootstrap: an assertion decides id, user, businesses and groups', async (t) => {
  const { bootstrap, verifier } = await startControl(t);
  const assertion = await shopAssertion({ uid: 'u-1', biz: ['live'], grp: { live: ['room-*'] } });
  const answer = await answerOf(await bootstrap({ app: 'shop', assertion }));
  t.is(answer.deviceId, 'chosen-id');
  t.false('deviceSecret' in answer, 'a chosen id has no secret: it always takes an assertion');
  t.deepEqual(answer.businesses, ['live']);
  const claims = verifier.verify(answer.token);
  t.is(claims.uid, 'u-1');
  t.deepEqual({ ...claims.groups }, { live: ['room-*'] });
});

test('bootstrap: an assertion without businesses grants all that serve the app', async (t) => {
  const { bootstrap } = await startControl(t);
  const answer = await answerOf(await bootstrap({ app: 'shop', assertion: await shopAssertion() }));
  t.deepEqual(answer.businesses, ['im', 'live']);
});

test('bootstrap: beside an assertion, id and secret are not looked at', async (t) => {
  const { bootstrap } = await startControl(t);
  const body = { app: 'shop', deviceId: 'other', deviceSecret: 'wrong', assertion: await shopAssertion() };
  t.is((await answerOf(await bootstrap(body))).deviceId, 'chosen-id');
});

test('bootstrap: an assertion that is not valid is refused, whatever else is proven', async (t) => {
  const { bootstrap } = await startControl(t);
  const { deviceId, deviceSecret } = await answerOf(await bootstrap({ app: 'shop' }));
  const assertions = [
    'nonsense',
    await shopAssertion({}, 'not-the-secret-of-shop'),
    await shopAssertion({ exp: Math.floor(Date.now() / 1000) - 60 }),
    await shopAssertion({ exp: Math.floor(Date.now() / 1000) + 3_600 }),
    await shopAssertion({ iss: 'chat' }),
  ];
  for (const assertion of assertions) {
    const response = await bootstrap({ app: 'shop', deviceId, deviceSecret, assertion });
    const { detail } = await expectProblem(t, response, 403, 'TRK_INVALID_ASSERTION');
    t.false(detail.includes(ASSERTION_SECRET));
  }
});

test('bootstrap: an app without assertion secret takes no assertion', async (t) => {
  const { bootstrap } = await startControl(t);
  const assertion = await shopAssertion({ iss: 'chat' });
  await expectProblem(t, await bootstrap({ app: 'chat', assertion }), 403, 'TRK_INVALID_ASSERTION');
});

test('bootstrap: an assertion cannot grant what its app may not', async (t) => {
  const { bootstrap } = await startControl(t);
  const grants: Record<string, unknown>[] = [
    { biz: ['constructor'] },
    { biz: ['im', 'nothing'] },
    { biz: ['toString'] },
    { biz: ['im'], grp: { live: ['a'] } },
    { grp: { constructor: ['a'] } },
  ];
  for (const claims of grants) {
    const assertion = await shopAssertion(claims);
    await expectProblem(t, await bootstrap({ app: 'shop', assertion }), 403, 'TRK_NOT_GRANTABLE');
  }
});

test('bootstrap: an app nothing serves publicly still gets a token, for nothing', async (t) => {
  const { bootstrap } = await startControl(t);
  t.deepEqual((await answerOf(await bootstrap({ app: 'bare' }))).businesses, []);
});

test('bootstrap: an unknown app is refused, also one named like a method of objects', async (t) => {
  const { bootstrap } = await startControl(t);
  for (const app of ['nothing', 'constructor', '__proto__', 'SHOP']) {
    await expectProblem(t, await bootstrap({ app }), 404, 'TRK_UNKNOWN_APP');
  }
});

test('bootstrap: a browser is told of WebSocket alone', async (t) => {
  const { bootstrap } = await startControl(t);
  const web = await answerOf(await bootstrap({ app: 'shop', attributes: { platform: 'web' } }));
  t.deepEqual(web.protocols, ['ws']);
  t.deepEqual(web.accessPoints, { ws: ['ws://127.0.0.1:7101/connect'] });
  const ios = await answerOf(await bootstrap({ app: 'shop', attributes: { platform: 'ios' } }));
  t.deepEqual(ios.protocols, ['tcp', 'ws']);
});

test('bootstrap: encrypted goes before plain, raw bytes before WebSocket', async (t) => {
  const { bootstrap, node } = await startControl(t);
  node.points = { ws: 'a:1', tcp: 'a:2', wss: 'a:3', tls: 'a:4' };
  const native = await answerOf(await bootstrap({ app: 'shop' }));
  t.deepEqual(native.protocols, ['tls', 'wss', 'tcp', 'ws']);
  t.deepEqual(native.accessPoints, {
    tls: ['a:4'],
    wss: ['wss://a:3/connect'],
    tcp: ['a:2'],
    ws: ['ws://a:1/connect'],
  });
  const web = await answerOf(await bootstrap({ app: 'shop', attributes: { platform: 'web' } }));
  t.deepEqual(web.protocols, ['wss', 'ws']);
});

test('bootstrap: only what the node listens with is offered', async (t) => {
  const { bootstrap, node } = await startControl(t);
  node.points = { tcp: '10.0.0.1:7100' };
  const native = await answerOf(await bootstrap({ app: 'shop' }));
  t.deepEqual([native.protocols, native.accessPoints], [['tcp'], { tcp: ['10.0.0.1:7100'] }]);
  const web = await bootstrap({ app: 'shop', attributes: { platform: 'web' } });
  await expectProblem(t, web, 503, 'TRK_NO_ACCESS_POINT');
  node.points = { ws: 'link.example.com:443' };
  const socket = await answerOf(await bootstrap({ app: 'shop' }));
  t.deepEqual([socket.protocols, socket.accessPoints], [['ws'], { ws: ['ws://link.example.com:443/connect'] }]);
});

test('bootstrap: other nodes are named for one that is not ready, and its own no more', async (t) => {
  const { bootstrap, node } = await startControl(t);
  node.others = [leaseOf('b'), leaseOf('c', { draining: true })];
  const both = await answerOf(await bootstrap({ app: 'shop' }));
  t.deepEqual([...(both.accessPoints.tcp ?? [])].sort(), ['127.0.0.1:7100', 'b:7100']);
  node.ready = false;
  const other = await answerOf(await bootstrap({ app: 'shop' }));
  t.deepEqual(other.accessPoints, { tcp: ['b:7100'], ws: ['ws://b:7101/connect'] });
});

test('bootstrap: a region that the client names is where it is sent', async (t) => {
  const { bootstrap, node } = await startControl(t);
  node.others = [leaseOf('far', { region: 'far' })];
  const attributes = { region: 'far' };
  const answer = await answerOf(await bootstrap({ app: 'shop', attributes }));
  t.deepEqual(answer.accessPoints.tcp, ['far:7100']);
  node.others = [leaseOf('far', { region: 'far', connections: 1_000 })];
  await expectProblem(t, await bootstrap({ app: 'shop', attributes }), 503, 'TRK_NOT_READY');
});

test('bootstrap: a node that is not ready sends clients away for a while, and does not say why', async (t) => {
  const { bootstrap, node } = await startControl(t);
  node.ready = false;
  const response = await bootstrap({ app: 'shop' });
  t.is(response.headers.get('retry-after'), '2');
  const { detail } = await expectProblem(t, response, 503, 'TRK_NOT_READY');
  t.false(detail.includes('worker'));
});

const refusesBody = test.macro({
  title: (what) => `bootstrap: ${what} is refused`,
  async exec(t, body: unknown, status: number = 400, code: string = 'TRK_INVALID_REQUEST') {
    const { bootstrap } = await startControl(t);
    await expectProblem(t, await bootstrap(body), status, code);
  },
});
test('text that is not JSON', refusesBody, '{', 400, 'TRK_INVALID_JSON');
test('a list', refusesBody, []);
test('a body without app', refusesBody, {});
test('an app that is no text', refusesBody, { app: 1 });
test('a field it does not know', refusesBody, { app: 'shop', deviceID: 'a' });
test('an empty device id', refusesBody, { app: 'shop', deviceId: '' });
test('a device id of 66 bytes', refusesBody, { app: 'shop', deviceId: 'ü'.repeat(33), deviceSecret: 'x' });
test('a device id without UTF-8 form', refusesBody, '{"app":"shop","deviceId":"\\ud800","deviceSecret":"x"}');
test('attributes that are no map of texts', refusesBody, { app: 'shop', attributes: { platform: 1 } });
test('65 attributes', refusesBody, {
  app: 'shop',
  attributes: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, ''])),
});
test('a body above 16 KiB', refusesBody, { app: 'shop', assertion: 'a'.repeat(17_000) }, 413, 'TRK_BODY_TOO_LARGE');

test('bootstrap: a body that is not declared as JSON is refused', async (t) => {
  const { bootstrap } = await startControl(t);
  const response = await bootstrap('{"app":"shop"}', { 'content-type': 'text/plain' });
  await expectProblem(t, response, 415, 'TRK_UNSUPPORTED_MEDIA_TYPE');
});

test('bootstrap: a revoked identity is refused with its secret and with an assertion, others are not', async (t) => {
  const { bootstrap, credentials } = await startControl(t);
  const { deviceId, deviceSecret } = await answerOf(await bootstrap({ app: 'shop' }));
  await credentials.revoke({ kind: 'identity', app: 'shop', deviceId });
  await credentials.revoke({ kind: 'identity', app: 'shop', deviceId: 'chosen-id' });
  const byId = () => bootstrap({ app: 'shop', deviceId, deviceSecret });
  await expectProblem(t, await byId(), 403, 'TRK_DEVICE_REVOKED');
  const assertion = await shopAssertion();
  await expectProblem(t, await bootstrap({ app: 'shop', assertion }), 403, 'TRK_DEVICE_REVOKED');
  // Who cannot prove the id learns nothing about it.
  const unproven = { app: 'shop', deviceId, deviceSecret: 'guess' };
  await expectProblem(t, await bootstrap(unproven), 403, 'TRK_DEVICE_NOT_PROVEN');
  t.is((await bootstrap({ app: 'shop' })).status, 200);
  t.true(await credentials.liftRevocation('shop', deviceId));
  t.is((await byId()).status, 200);
});

test('bootstrap: a device whose tokens were revoked gets a new one that counts', async (t) => {
  const { bootstrap, credentials } = await startControl(t);
  const { deviceId, deviceSecret, token } = await answerOf(await bootstrap({ app: 'shop' }));
  await credentials.revoke({ kind: 'device', app: 'shop', deviceId });
  const next = await answerOf(await bootstrap({ app: 'shop', deviceId, deviceSecret }));
  const { jwks, revocations } = credentials.attach(0, {} as never);
  const verifier = createTokenVerifier({ jwks, apps: ['shop'], revocations: new RevocationTable(revocations) });
  t.throws(() => verifier.verify(token), { code: 'TRK_TOKEN_REVOKED' });
  t.is(verifier.verify(next.token).deviceId, deviceId);
});

test('bootstrap: an address that guesses is slowed down long before one that does not', async (t) => {
  const apps = { ...CONFIG.apps, shop: { ...CONFIG.apps['shop'], bootstrapsPerMinutePerIp: 50 } };
  const { bootstrap } = await startControl(t, { ...CONFIG, apps } as NodeConfig);
  const { deviceId } = await answerOf(await bootstrap({ app: 'shop' }));
  const guess = () => bootstrap({ app: 'shop', deviceId, deviceSecret: 'guess' });
  t.is((await guess()).status, 403);
  await expectProblem(t, await bootstrap({ app: 'shop', assertion: 'a.b.c' }), 403, 'TRK_INVALID_ASSERTION');
  t.is((await guess()).status, 403);
  const refused = await guess();
  t.regex(refused.headers.get('retry-after') ?? '', /^\d+$/);
  await expectProblem(t, refused, 429, 'TRK_RATE_LIMITED');
  // Another app is another matter.
  t.is((await bootstrap({ app: 'chat' })).status, 200);
});
