import test from 'ava';
import { KEYS, startBridge } from '../support/bridge.js';

const ALICE = { online: true, connectionId: 'c-7', uid: 'u-1', sinceMs: 5 } as const;

test('devices: presence of one and of many', async (t) => {
  const { call, routing } = await startBridge(t);
  routing.online.set('alice', ALICE);
  const key = KEYS.im;
  const online = { device: 'alice', ...ALICE };
  t.deepEqual((await call('GET', '/v1/apps/demo/devices/alice', { key })).json, online);
  const away = await call('GET', '/v1/apps/demo/devices/bob', { key });
  t.is(away.status, 200);
  t.deepEqual(away.json, { device: 'bob', online: false });
  const many = await call('POST', '/v1/apps/demo/presence', { key, body: { devices: ['bob', 'alice'] } });
  t.deepEqual(many.json, { devices: [{ device: 'bob', online: false }, online] });
});

test('devices: a kick says whether there was something to withdraw', async (t) => {
  const { call, routing } = await startBridge(t);
  routing.online.set('alice', ALICE);
  const kick = () => call('POST', '/v1/apps/demo/devices/alice/kick', { key: KEYS.im });
  t.deepEqual((await kick()).json, { kicked: true });
  t.deepEqual((await kick()).json, { kicked: false });
});

test("devices: a connection is closed with the app's key only", async (t) => {
  const { call, routing } = await startBridge(t);
  routing.online.set('alice', ALICE);
  const close = (key: string) => call('DELETE', '/v1/apps/demo/devices/alice/connection', { key });
  t.is((await close(KEYS.im)).status, 401);
  const wrong = await close(KEYS.other);
  t.is(wrong.status, 403);
  t.is(wrong.json.code, 'TRK_APP_NOT_SERVED');
  t.true(routing.online.has('alice'));
  t.deepEqual((await close(KEYS.demo)).json, { disconnected: true });
  t.deepEqual((await close(KEYS.demo)).json, { disconnected: false });
});
