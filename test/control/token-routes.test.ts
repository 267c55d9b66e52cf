import test, { type ExecutionContext } from 'ava';
import { createTokenRoutes } from '../../control/index.js';
import { createHttpServer, startHttpServer, stopHttpServer } from '../../http/index.js';
import { createTokenVerifier, TokenIssuer } from '../../tokens/index.js';
import { signingKeys } from '../tokens/fixtures.js';
import { CONFIG, expectProblem, silentLog } from './fixtures.js';

interface TokenAnswer {
  readonly token: string;
  readonly expiresAtMs: number;
  readonly deviceId: string;
  readonly app: string;
}

/** A private listener with the token routes and one more route beside them. */
async function startTokens(t: ExecutionContext) {
  const keys = await signingKeys(t);
  const app = createHttpServer({ log: silentLog, maxBodyBytes: 1024 * 1024 });
  await app.register(createTokenRoutes({ config: CONFIG, issuer: new TokenIssuer({ keys }) }));
  app.get('/open', async () => ({ open: true }));
  const url = `http://${await startHttpServer(app, { host: '127.0.0.1', port: 0 })}`;
  t.teardown(() => stopHttpServer(app));
  const ask = (body: unknown, key: string | undefined = 'shop-app-key-number-1') =>
    fetch(`${url}/v1/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === '' ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify(body),
    });
  return { url, ask, verifier: createTokenVerifier({ jwks: keys.publicJwks(), apps: Object.keys(CONFIG.apps) }) };
}

test('token route: a back-end names a device and gets all that serves its app', async (t) => {
  const { ask, verifier } = await startTokens(t);
  const response = await ask({ app: 'shop', deviceId: 'd-1' });
  t.is(response.status, 200);
  t.is(response.headers.get('cache-control'), 'no-store');
  const { token, expiresAtMs, ...rest } = (await response.json()) as TokenAnswer;
  t.deepEqual(rest, { deviceId: 'd-1', app: 'shop' });
  const claims = verifier.verify(token);
  t.deepEqual([claims.deviceId, claims.uid, claims.businesses], ['d-1', undefined, ['im', 'live']]);
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
  t.is(expiresAtMs - claims.issuedAtMs, 5_000);
});

test("token route: no token outlives the app's tokenTtlMs", async (t) => {
  const { ask, verifier } = await startTokens(t);
  const { token } = (await (await ask({ app: 'shop', deviceId: 'd', ttlMs: 86_400_000 })).json()) as TokenAnswer;
  const { expiresAtMs, issuedAtMs } = verifier.verify(token);
  t.is(expiresAtMs - issuedAtMs, 600_000);
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
