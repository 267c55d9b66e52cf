/** The admin API: who may, what it shows, and that it is not there without a key. */
import test from 'ava';
import { RestartNeededError } from '../../cluster/index.js';
import { ConfigError } from '../../config/index.js';
import { KEYS, startBridge } from '../support/bridge.js';

const STATUS = '/v1/admin/status';

test('admin: without an admin key there is no such path', async (t) => {
  const { call } = await startBridge(t);
  for (const key of [undefined, KEYS.im, KEYS.admin]) {
    const answer = await call('GET', STATUS, key === undefined ? {} : { key });
    t.is(answer.status, 404);
    t.is(answer.json.code, 'TRK_NOT_FOUND');
  }
});

test('admin: only an admin key opens it, and it opens nothing else', async (t) => {
  const { call } = await startBridge(t, { adminKeys: [KEYS.admin] });
  t.is((await call('GET', '/v1/admin/devices')).status, 401);
  for (const key of [KEYS.im, KEYS.demo, 'no key of this node']) {
    const answer = await call('GET', '/v1/admin/devices', { key });
    t.is(answer.status, 401);
    t.is(answer.json.code, 'TRK_UNAUTHENTICATED');
  }
  t.is((await call('GET', '/v1/admin/devices', { key: KEYS.admin })).status, 200);
  const push = await call('POST', '/v1/apps/demo/push', { key: KEYS.admin, body: { devices: ['d'], payload: '' } });
  t.is(push.status, 401);
});

test('admin: a query in the wrong form is refused field by field', async (t) => {
  const { call } = await startBridge(t, { adminKeys: [KEYS.admin] });
  const answer = await call('GET', '/v1/admin/devices?limit=0&colour=red', { key: KEYS.admin });
  t.is(answer.status, 400);
  t.deepEqual(
    answer.json.errors.map((error: { in: string }) => error.in),
    ['query', 'query'],
  );
  t.is((await call('GET', '/v1/admin/groups', { key: KEYS.admin })).status, 400);
  const nobody = await call('GET', '/v1/admin/groups?business=nobody', { key: KEYS.admin });
  t.deepEqual([nobody.status, nobody.json.code], [404, 'TRK_UNKNOWN_BUSINESS']);
});

test('admin: disconnects a device of any app', async (t) => {
  const { call, routing } = await startBridge(t, { adminKeys: [KEYS.admin] });
  routing.online.set('till/1', { online: true, connectionId: 'c-1', sinceMs: 1 });
  const path = `/v1/admin/apps/demo/devices/${encodeURIComponent('till/1')}/disconnect`;
  t.deepEqual((await call('POST', path, { key: KEYS.admin })).json, { disconnected: true });
  t.deepEqual((await call('POST', path, { key: KEYS.admin })).json, { disconnected: false });
});

test('admin: a reload says what changed, or why nothing did', async (t) => {
  let outcome: () => { changed: string[] } = () => ({ changed: ['limits.inFlight'] });
  const admin = { reload: async () => outcome() };
  const { call } = await startBridge(t, { adminKeys: [KEYS.admin], admin });
  const reload = () => call('POST', '/v1/admin/reload', { key: KEYS.admin });
  t.deepEqual((await reload()).json, { changed: ['limits.inFlight'] });

  outcome = () => {
    throw new RestartNeededError(['node.workers']);
  };
  const restart = await reload();
  t.is(restart.status, 409);
  t.like(restart.json, { code: 'TRK_RESTART_NEEDED', errors: [{ in: 'configuration', field: 'node.workers' }] });

  outcome = () => {
    throw new ConfigError('node.yaml', [{ path: 'node.drainMs', line: 3, message: 'must be a number' }]);
  };
  const invalid = await reload();
  t.is(invalid.status, 409);
  t.like(invalid.json, {
    code: 'TRK_CONFIG_INVALID',
    errors: [{ in: 'configuration', field: 'node.drainMs', detail: 'must be a number (line 3)' }],
  });
});

test('admin: a node that was not started from a file has nothing to read again', async (t) => {
  const { call } = await startBridge(t, { adminKeys: [KEYS.admin] });
  const answer = await call('POST', '/v1/admin/reload', { key: KEYS.admin });
  t.deepEqual([answer.status, answer.json.code], [409, 'TRK_NO_CONFIG_FILE']);
});

test('admin: keys follow a reload, the first one too', async (t) => {
  const { call, current, config } = await startBridge(t);
  const get = (key: string) => call('GET', '/v1/admin/devices', { key }).then(({ status }) => status);
  t.is(await get(KEYS.admin), 404);
  current.replace({ ...config, private: { ...config.private, adminKeys: [KEYS.admin] } });
  t.is(await get(KEYS.admin), 200);
  current.replace({ ...config, private: { ...config.private, adminKeys: ['another-admin-key-012345'] } });
  t.is(await get(KEYS.admin), 401);
});

test('admin: what is not there is not described', async (t) => {
  const { call, current, config } = await startBridge(t);
  const isDescribed = async () => STATUS in (await call('GET', '/openapi.json')).json.paths;
  t.false(await isDescribed());
  current.replace({ ...config, private: { ...config.private, adminKeys: [KEYS.admin] } });
  t.true(await isDescribed());
});

test('admin: the description names the scheme and the tag', async (t) => {
  const { call } = await startBridge(t, { adminKeys: [KEYS.admin] });
  const { json } = await call('GET', '/openapi.json');
  t.like(json.components.securitySchemes.adminKey, { type: 'http', scheme: 'bearer' });
  const { get } = json.paths[STATUS];
  t.deepEqual([get.tags, get.security], [['admin'], [{ adminKey: [] }]]);
  t.truthy(json.paths['/v1/admin/apps/{app}/devices/{device}/disconnect'].post);
});
