import test from 'ava';
import { KEYS, startBridge } from '../support/bridge.js';
import type { CallOptions } from '../support/http-client.js';

const message = { payload: 'x' };
const devices = ['alice'];

/** Every route that takes a business's key, each with a request that it would understand. */
const BUSINESS_ROUTES: [method: string, path: string, body?: unknown][] = [
  ['POST', '/v1/apps/APP/devices/alice/push', message],
  ['POST', '/v1/apps/APP/push', { devices, ...message }],
  ['GET', '/v1/apps/APP/devices/alice'],
  ['POST', '/v1/apps/APP/presence', { devices }],
  ['POST', '/v1/apps/APP/devices/alice/kick'],
  ['POST', '/v1/apps/APP/users/u/push', message],
  ['POST', '/v1/apps/APP/broadcast', message],
  ['GET', '/v1/apps/APP/users/u'],
  ['POST', '/v1/apps/APP/users/presence', { users: ['u'] }],
  ['POST', '/v1/apps/APP/devices/alice/call', { method: 'm' }],
  ['GET', '/v1/groups'],
  ['POST', '/v1/groups/g/push', message],
  ['PUT', '/v1/groups/g'],
  ['GET', '/v1/groups/g'],
  ['POST', '/v1/groups/g/join', { app: 'APP', devices }],
  ['POST', '/v1/groups/g/leave', { app: 'APP', devices }],
  ['DELETE', '/v1/groups/g'],
];

const withApp = (path: string, app: string) => path.replace('APP', app);
const optionsFor = (body: unknown, app: string, key?: string): CallOptions => ({
  ...(key === undefined ? {} : { key }),
  ...(body === undefined ? {} : { body: JSON.parse(JSON.stringify(body).replace('APP', app)) }),
});

for (const [method, path, body] of BUSINESS_ROUTES) {
  test(`keys: ${method} ${path} takes a business's key and nothing else`, async (t) => {
    const { call, routing } = await startBridge(t);
    await routing.createGroup(1, 'g');
    const send = (key?: string) => call(method, withApp(path, 'demo'), optionsFor(body, 'demo', key));
    const missing = await send();
    t.is(missing.status, 401);
    t.is(missing.headers['www-authenticate'], 'Bearer realm="trunkline"');
    for (const wrong of ['nobody-has-this-key', KEYS.demo, `${KEYS.im}x`, KEYS.im.slice(0, -1)]) {
      const answer = await send(wrong);
      t.is(answer.status, 401);
      t.is(answer.json.code, 'TRK_UNAUTHENTICATED');
      t.is(answer.headers['www-authenticate'], 'Bearer realm="trunkline", error="invalid_token"');
    }
    const right = await send(KEYS.imNext);
    t.true([200, 204].includes(right.status), right.text);
  });
}

for (const [method, path, body] of BUSINESS_ROUTES.filter((route) => JSON.stringify(route).includes('APP'))) {
  test(`keys: ${method} ${path} refuses an app that the business does not serve, configured or not`, async (t) => {
    const { call, routing } = await startBridge(t);
    await routing.createGroup(1, 'g');
    for (const app of ['other', 'nowhere', '__proto__']) {
      const answer = await call(method, withApp(path, app), optionsFor(body, app, KEYS.im));
      t.is(answer.status, 403, app);
      t.is(answer.json.code, 'TRK_APP_NOT_SERVED');
    }
    t.deepEqual([routing.pushed.length, routing.called.length], [0, 0]);
  });
}

test('keys: every refusal of a key leaves the secrets out of the log', async (t) => {
  const { call, routing, logs } = await startBridge(t);
  routing.failure = new Error('broken');
  const payload = 'a-private-message';
  const wrong = 'a-wrong-key-of-somebody';
  await call('POST', '/v1/apps/demo/devices/alice/push', { key: wrong, body: { payload } });
  await call('POST', '/v1/apps/demo/devices/alice/push', { key: KEYS.im, body: { payload } });
  await call('POST', '/v1/apps/demo/devices/alice/push', { key: KEYS.im, body: { payload, extra: payload } });
  await call('POST', '/v1/apps/demo/devices/alice/push', { key: KEYS.im, body: `{"payload":"${payload}` });
  await call('POST', '/v1/apps/other/devices/alice/push', { key: KEYS.im, body: { payload } });
  await call('GET', `/v1/nowhere?key=${KEYS.im}`, { key: KEYS.im });
  await call('GET', `/v1/%zz?key=${KEYS.im}`, { key: KEYS.im });
  const text = logs.text();
  t.regex(text, /TRK_UNAUTHENTICATED/);
  t.regex(text, /request failed/);
  for (const secret of [...Object.values(KEYS), wrong, payload]) t.false(text.includes(secret), secret);
});
