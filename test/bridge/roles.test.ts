import test from 'ava';
import { KEYS, startBridge } from '../support/bridge.js';

const extra = (path: string) => () => async (scope: { get(path: string, handler: () => Promise<object>): unknown }) => {
  scope.get(path, async () => ({ extra: true }));
};

test('roles: without `bridge` the private listener is for operators and machines alone', async (t) => {
  const { call } = await startBridge(t, {
    roles: ['access', 'control'],
    adminKeys: [KEYS.admin],
    plugins: [extra('/v1/for-back-ends')],
    adminPlugins: [extra('/v1/admin/for-operators')],
  });
  for (const [method, path, key] of [
    ['POST', '/v1/apps/demo/devices/a/push', KEYS.im],
    ['GET', '/v1/groups', KEYS.im],
    ['POST', '/v1/push/bulk', KEYS.im],
    ['DELETE', '/v1/apps/demo/devices/a/connection', KEYS.demo],
    ['GET', '/v1/for-back-ends', KEYS.demo],
  ] as const) {
    const { status, json } = await call(method, path, { key });
    t.deepEqual([status, json.code], [404, 'TRK_NOT_FOUND'], path);
  }
  for (const path of ['/healthz', '/readyz', '/metrics']) t.is((await call('GET', path)).status, 200, path);
  t.is((await call('GET', '/v1/admin/devices', { key: KEYS.admin })).status, 200);
  t.is((await call('GET', '/v1/admin/for-operators')).status, 200);
  const { paths } = (await call('GET', '/openapi.json')).json;
  t.false('/v1/groups' in paths);
  t.true('/v1/admin/devices' in paths);
});

test('roles: with `bridge` everything is there', async (t) => {
  const { call } = await startBridge(t, {
    roles: ['bridge'],
    plugins: [extra('/v1/for-back-ends')],
    adminPlugins: [extra('/v1/admin/for-operators')],
  });
  t.is((await call('GET', '/v1/groups', { key: KEYS.im })).status, 200);
  t.is((await call('GET', '/v1/for-back-ends')).status, 200);
  t.is((await call('GET', '/v1/admin/for-operators')).status, 200);
});
