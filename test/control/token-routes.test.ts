import test, { type ExecutionContext } from 'ava';
import { CurrentConfig, type NodeConfig } from '../../config/index.js';
import { createRevocationRoutes, createTokenRoutes } from '../../control/index.js';
import { createHttpServer, startHttpServer, stopHttpServer } from '../../http/index.js';
import { createTokenVerifier, TokenIssuer } from '../../tokens/index.js';
import { dataDir } from '../tokens/fixtures.js';
import { CONFIG, expectProblem, openCredentials, silentLog } from './fixtures.js';

interface TokenAnswer {
  readonly token: string;
  readonly expiresAtMs: number;
  readonly deviceId: string;
  readonly app: string;
  readonly jti: string;
}

/** A private listener with the token routes and one more route beside them. */
async function startTokens(t: ExecutionContext) {
  const credentials = await openCredentials(await dataDir(t));
  const { keys } = credentials;
  const config = new CurrentConfig(CONFIG);
  const clock = { nowMs: 0 };
  const app = createHttpServer({ log: silentLog, maxBodyBytes: 1024 * 1024 });
  const issuer = new TokenIssuer({ keys });
  await app.register(createTokenRoutes({ config, issuer, credentials, now: () => clock.nowMs }));
  await app.register(createRevocationRoutes({ config, credentials }));
  app.get('/open', async () => ({ open: true }));
  const url = `http://${await startHttpServer(app, { host: '127.0.0.1', port: 0 })}`;
  t.teardown(() => stopHttpServer(app));
  const send = (method: string, path: string, body: unknown, key: string) =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const shopKey = 'shop-app-key-number-1';
  const ask = (body: unknown, key = shopKey) => send('POST', '/v1/tokens', body, key);
  const revoke = (body: unknown, key = shopKey) => send('POST', '/v1/revocations', body, key);
  const lift = (app: string, device: string, key = shopKey) =>
    send('DELETE', `/v1/apps/${app}/devices/${device}/revocation`, undefined, key);
  return {
    url,
    ask,
    revoke,
    lift,
    clock,
    config,
    credentials,
    verifier: createTokenVerifier({ jwks: keys.publicJwks(), apps: Object.keys(CONFIG.apps) }),
  };
}

test('token route: a back-end names a device and gets all that serves its app', async (t) => {
  const { ask, verifier } = await startTokens(t);
  const response = await ask({ app: 'shop', deviceId: 'd-1' });
  t.is(response.status, 200);
  t.is(response.headers.get('cache-control'), 'no-store');
  const { token, expiresAtMs, jti, ...rest } = (await response.json()) as TokenAnswer;
  t.deepEqual(rest, { deviceId: 'd-1', app: 'shop' });
  const claims = verifier.verify(token);
  t.deepEqual([claims.deviceId, claims.uid, claims.businesses], ['d-1', undefined, ['im', 'live']]);
  t.is(claims.jti, jti);
  t.is(claims.expiresAtMs, expiresAtMs);
});

test('token route: user, businesses, groups and a shorter life as asked', async (t) => {
  const { ask, verifier } = await startTokens(t);
  const body = {
    app: 'shop',
    deviceId: 'd',
    uid: 'u',
    businesses: ['live'],
    groups: { live: ['a', 'b*'] },
    ttlMs: 5_000,
  };
  const { token, expiresAtMs } = (await (await ask(body, 'shop-app-key-number-2')).json()) as TokenAnswer;
  const claims = verifier.verify(token);
  t.deepEqual([claims.uid, claims.businesses, { ...claims.groups }], ['u', ['live'], { live: ['a', 'b*'] }]);
  t.is(Math.ceil((expiresAtMs - claims.issuedAtMs) / 1_000), 5);
});

test("token route: no token outlives the app's tokenTtlMs", async (t) => {
  const { ask, verifier } = await startTokens(t);
  const { token } = (await (await ask({ app: 'shop', deviceId: 'd', ttlMs: 86_400_000 })).json()) as TokenAnswer;
  const { expiresAtMs, issuedAtMs } = verifier.verify(token);
  t.is(Math.ceil((expiresAtMs - issuedAtMs) / 1_000), 600);
});

test('token route: a key is asked for, and it speaks for its own app only', async (t) => {
  const { ask } = await startTokens(t);
  const body = { app: 'shop', deviceId: 'd' };
  for (const key of ['', 'nobodys-key-at-all-here', 'im-business-key-number-1']) {
    const response = await ask(body, key);
    t.truthy(response.headers.get('www-authenticate'));
    await expectProblem(t, response, 401, 'TRK_UNAUTHENTICATED');
  }
  await expectProblem(t, await ask(body, 'chat-app-key-number-1'), 403, 'TRK_APP_NOT_SERVED');
  await expectProblem(t, await ask({ ...body, app: 'nothing' }), 403, 'TRK_APP_NOT_SERVED');
});

test('token route: other routes of the listener stay without that key', async (t) => {
  const { url } = await startTokens(t);
  t.is((await fetch(`${url}/open`)).status, 200);
});

test('token route: only businesses that serve the app, only groups of granted ones', async (t) => {
  const { ask } = await startTokens(t);
  const grants: Record<string, unknown>[] = [
    { businesses: ['nothing'] },
    { businesses: ['im', 'constructor'] },
    { businesses: ['im'], groups: { live: ['a'] } },
    { groups: { constructor: ['a'] } },
  ];
  for (const grant of grants) {
    await expectProblem(t, await ask({ app: 'shop', deviceId: 'd', ...grant }), 403, 'TRK_NOT_GRANTABLE');
  }
});

test('token route: a business called constructor is one like any other', async (t) => {
  const { ask, verifier } = await startTokens(t);
  const body = { app: 'chat', deviceId: 'd', businesses: ['constructor'], groups: { constructor: ['a'] } };
  const { token } = (await (await ask(body, 'chat-app-key-number-1')).json()) as TokenAnswer;
  t.deepEqual(verifier.verify(token).groups['constructor'], ['a']);
});

test('token route: what is not in its form is refused', async (t) => {
  const { ask } = await startTokens(t);
  const good = { app: 'shop', deviceId: 'd' };
  const bodies = [
    { app: 'shop' },
    { deviceId: 'd' },
    { ...good, deviceId: '' },
    { ...good, deviceId: 'd'.repeat(65) },
    { ...good, uid: '' },
    { ...good, businesses: 'im' },
    { ...good, businesses: ['im', 'im'] },
    { ...good, groups: { live: 'a' } },
    { ...good, groups: { live: ['a'.repeat(129)] } },
    { ...good, ttlMs: 0 },
    { ...good, ttlMs: 1.5 },
    { ...good, ttl: 5 },
  ];
  for (const body of bodies) await expectProblem(t, await ask(body), 400, 'TRK_INVALID_REQUEST');
});

test('token route: grants that do not fit a token are refused', async (t) => {
  const { ask } = await startTokens(t);
  const groups = { live: Array.from({ length: 250 }, (_, index) => `a-room-with-a-name-${index}`) };
  await expectProblem(t, await ask({ app: 'shop', deviceId: 'd', groups }), 400, 'TRK_TOKEN_TOO_LARGE');
});

test('token route: bodies are small', async (t) => {
  const { ask } = await startTokens(t);
  const body = { app: 'shop', deviceId: 'd', uid: 'u'.repeat(17_000) };
  await expectProblem(t, await ask(body), 413, 'TRK_BODY_TOO_LARGE');
});

test('token route: tokens a minute are limited per app, and Retry-After says when there is one again', async (t) => {
  const { ask, clock, config } = await startTokens(t);
  const { shop, chat } = CONFIG.apps as Record<'shop' | 'chat', NodeConfig['apps'][string]>;
  config.replace({ ...CONFIG, apps: { shop: { ...shop, tokensPerMinute: 6 }, chat: { ...chat, tokensPerMinute: 6 } } });
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) statuses.push((await ask({ app: 'shop', deviceId: 'd' })).status);
  t.deepEqual(new Set(statuses), new Set([200]));
  const refused = await ask({ app: 'shop', deviceId: 'd' });
  t.is(refused.headers.get('retry-after'), '10');
  await expectProblem(t, refused, 429, 'TRK_RATE_LIMITED');
  t.is((await ask({ app: 'chat', deviceId: 'd' }, 'chat-app-key-number-1')).status, 200);
  clock.nowMs += 10_000;
  t.is((await ask({ app: 'shop', deviceId: 'd' })).status, 200);
  t.is((await ask({ app: 'shop', deviceId: 'd' })).status, 429);
});

test('revocation route: an app takes back what is its own, in four ways', async (t) => {
  const { revoke, credentials } = await startTokens(t);
  const nowMs = Date.now();
  for (const target of [
    { jti: 'j-1' },
    { deviceId: 'd-1' },
    { deviceId: 'd-2', beforeMs: nowMs - 5 },
    { beforeMs: nowMs },
  ]) {
    const response = await revoke({ app: 'shop', ...target });
    t.is(response.status, 200);
    const { closed, untilMs } = (await response.json()) as { closed: number; untilMs: number };
    t.is(closed, 0);
    t.is(typeof untilMs, 'number');
  }
  const answer = await revoke({ app: 'shop', deviceId: 'd-3', identity: true });
  t.deepEqual(await answer.json(), { closed: 0 });
  // An identity takes its tokens of today with it.
  t.is(credentials.revocations, 6);
});

test('revocation route: a revoked identity gets no token from anybody until it is lifted', async (t) => {
  const { ask, revoke, lift } = await startTokens(t);
  await revoke({ app: 'shop', deviceId: 'd-1', identity: true });
  await expectProblem(t, await ask({ app: 'shop', deviceId: 'd-1' }), 403, 'TRK_DEVICE_REVOKED');
  t.is((await ask({ app: 'shop', deviceId: 'd-2' })).status, 200);
  t.is((await ask({ app: 'chat', deviceId: 'd-1' }, 'chat-app-key-number-1')).status, 200);
  t.deepEqual(await (await lift('shop', 'd-1')).json(), { lifted: true });
  t.deepEqual(await (await lift('shop', 'd-1')).json(), { lifted: false });
  t.is((await ask({ app: 'shop', deviceId: 'd-1' })).status, 200);
});

test("revocation route: no key, another app's key and a business's are refused", async (t) => {
  const { revoke, lift } = await startTokens(t);
  const body = { app: 'shop', deviceId: 'd-1' };
  await expectProblem(t, await revoke(body, ''), 401, 'TRK_UNAUTHENTICATED');
  await expectProblem(t, await revoke(body, 'im-business-key-number-1'), 401, 'TRK_UNAUTHENTICATED');
  await expectProblem(t, await revoke(body, 'chat-app-key-number-1'), 403, 'TRK_APP_NOT_SERVED');
  await expectProblem(t, await revoke({ ...body, app: 'nobody' }), 403, 'TRK_APP_NOT_SERVED');
  await expectProblem(t, await lift('shop', 'd-1', 'chat-app-key-number-1'), 403, 'TRK_APP_NOT_SERVED');
});

const refusesRevocation = test.macro({
  title: (what) => `revocation route: ${what} is refused`,
  async exec(t, body: Record<string, unknown>) {
    const { revoke, credentials } = await startTokens(t);
    await expectProblem(t, await revoke({ app: 'shop', ...body }), 400, 'TRK_INVALID_REQUEST');
    t.is(credentials.revocations, 0);
  },
});
test('nothing', refusesRevocation, {});
test('a misspelt target, which would be everything', refusesRevocation, { device: 'd-1', beforeMs: 1 });
test('a token and a device', refusesRevocation, { jti: 'j', deviceId: 'd' });
test('a token before a moment', refusesRevocation, { jti: 'j', beforeMs: 1 });
test('an identity before a moment', refusesRevocation, { deviceId: 'd', identity: true, beforeMs: 1 });
test('an identity without a device', refusesRevocation, { identity: true, beforeMs: 1 });
test('an identity that is to be lifted', refusesRevocation, { deviceId: 'd', identity: false });
test('a device id of 65 bytes', refusesRevocation, { deviceId: 'd'.repeat(65) });
test('a moment that is no number', refusesRevocation, { deviceId: 'd', beforeMs: 'now' });
