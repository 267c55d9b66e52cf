import test from 'ava';
import { KEYS, startBridge } from '../support/bridge.js';

test('groups: created once, looked at, dissolved once', async (t) => {
  const { call } = await startBridge(t);
  const key = KEYS.im;
  const created = await call('PUT', '/v1/groups/room-1', { key });
  t.is(created.status, 201);
  t.deepEqual(created.json, { group: 'room-1', created: true });
  const again = await call('PUT', '/v1/groups/room-1', { key });
  t.is(again.status, 200);
  t.deepEqual(again.json, { group: 'room-1', created: false });
  const seen = await call('GET', '/v1/groups/room-1', { key });
  t.deepEqual(seen.json, { group: 'room-1', members: 0, createdAtMs: 1_750_000_000_000 });
  const gone = await call('DELETE', '/v1/groups/room-1', { key });
  t.is(gone.status, 204);
  t.is(gone.text, '');
  for (const method of ['GET', 'DELETE']) {
    const missing = await call(method, '/v1/groups/room-1', { key });
    t.is(missing.status, 404);
    t.is(missing.json.code, 'TRK_GROUP_NOT_FOUND');
  }
});

test('groups: a content type without a body does no harm', async (t) => {
  const { call } = await startBridge(t);
  const answer = await call('PUT', '/v1/groups/g', { key: KEYS.im, headers: { 'content-type': 'application/json' } });
  t.is(answer.status, 201);
});

test('groups: devices join and leave with a result each', async (t) => {
  const { call, routing } = await startBridge(t);
  await routing.createGroup(1, 'g');
  routing.online.set('alice', { online: true, connectionId: 'c', sinceMs: 1 });
  const body = { app: 'demo', devices: ['alice', 'bob'] };
  const outcome = async (verb: string) =>
    (await call('POST', `/v1/groups/g/${verb}`, { key: KEYS.im, body })).json.results.map(
      (each: { result: string }) => each.result,
    );
  t.deepEqual(await outcome('join'), ['joined', 'offline']);
  t.deepEqual(await outcome('join'), ['already-member', 'offline']);
  t.deepEqual(await outcome('leave'), ['left', 'not-member']);
});

for (const verb of ['join', 'leave']) {
  test(`groups: ${verb} wants an app it serves, devices and a group that exists`, async (t) => {
    const { call } = await startBridge(t);
    const send = (body: unknown) => call('POST', `/v1/groups/none/${verb}`, { key: KEYS.im, body });
    t.is((await send({ app: 'demo', devices: ['a'] })).json.code, 'TRK_GROUP_NOT_FOUND');
    t.is((await send({ app: 'other', devices: ['a'] })).json.code, 'TRK_APP_NOT_SERVED');
    t.is((await send({ app: 'demo', devices: [] })).json.errors[0].field, 'devices');
    t.is((await send({ devices: ['a'] })).json.errors[0].field, 'app');
  });
}

test('groups: a name of 128 bytes fits however it is written, one more does not', async (t) => {
  const { call } = await startBridge(t);
  for (const name of ['x'.repeat(128), '東'.repeat(42), '%'.repeat(128), '../..', 'a b', '?#']) {
    const answer = await call('PUT', `/v1/groups/${encodeURIComponent(name)}`, { key: KEYS.im });
    t.is(answer.status, 201, name);
    t.is(answer.json.group, name);
  }
  for (const name of ['x'.repeat(129), '東'.repeat(43)]) {
    const answer = await call('PUT', `/v1/groups/${encodeURIComponent(name)}`, { key: KEYS.im });
    t.is(answer.status, 400, name);
    t.is(answer.json.errors[0].field, 'group');
  }
  t.is((await call('PUT', `/v1/groups/${'x'.repeat(2_000)}`, { key: KEYS.im })).status, 414);
});
