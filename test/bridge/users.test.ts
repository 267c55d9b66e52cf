import test from 'ava';
import { KEYS, startBridge } from '../support/bridge.js';

const key = KEYS.im;

test('users: a push answers one outcome a device of the user', async (t) => {
  const { call, routing } = await startBridge(t);
  routing.users.set('über/1', ['phone', 'tablet']);
  routing.outcomes.set('phone', { result: 'delivered' }).set('tablet', { result: 'dropped', reason: 'overload' });
  const path = `/v1/apps/demo/users/${encodeURIComponent('über/1')}/push`;
  const answer = await call('POST', path, { key, body: { payload: 'x', messageId: 'm' } });
  t.deepEqual(answer.json, {
    messageId: 'm',
    user: 'über/1',
    devices: [
      { device: 'phone', result: 'delivered' },
      { device: 'tablet', result: 'dropped', reason: 'overload' },
    ],
  });
  const nobody = await call('POST', '/v1/apps/demo/users/nobody/push', { key, body: { payload: 'x', messageId: 'm' } });
  t.deepEqual(nobody.json, { messageId: 'm', user: 'nobody', devices: [] });
});

test('users: presence names the devices, of one and of many', async (t) => {
  const { call, routing } = await startBridge(t);
  routing.users.set('ada', ['phone', 'away']);
  routing.online.set('phone', { online: true, connectionId: 'c-1', sinceMs: 5, uid: 'ada' });
  const ada = { user: 'ada', online: true, devices: [{ device: 'phone', connectionId: 'c-1', sinceMs: 5 }] };
  const nobody = { user: 'nobody', online: false, devices: [] };
  t.deepEqual((await call('GET', '/v1/apps/demo/users/ada', { key })).json, ada);
  t.deepEqual((await call('GET', '/v1/apps/demo/users/nobody', { key })).json, nobody);
  const many = await call('POST', '/v1/apps/demo/users/presence', { key, body: { users: ['nobody', 'ada'] } });
  t.deepEqual(many.json, { users: [nobody, ada] });
});

test('users: ids are bounded in bytes, lists in number', async (t) => {
  const { call } = await startBridge(t);
  t.is((await call('GET', `/v1/apps/demo/users/${encodeURIComponent('é'.repeat(64))}`, { key })).status, 200);
  const long = await call('GET', `/v1/apps/demo/users/${encodeURIComponent(`${'é'.repeat(64)}x`)}`, { key });
  t.deepEqual([long.status, long.json.errors[0].field], [400, 'uid']);
  for (const users of [[], Array.from({ length: 1_001 }, (_, i) => `u${i}`)]) {
    const answer = await call('POST', '/v1/apps/demo/users/presence', { key, body: { users } });
    t.is(answer.status, 400);
  }
});

test('broadcast: counts the results', async (t) => {
  const { call, routing } = await startBridge(t);
  routing.outcomes.set('a', { result: 'delivered' }).set('b', { result: 'expired' }).set('c', { result: 'delivered' });
  const answer = await call('POST', '/v1/apps/demo/broadcast', { key, body: { payload: 'x', messageId: 'm' } });
  t.deepEqual(answer.json, {
    messageId: 'm',
    devices: 3,
    results: { delivered: 2, offline: 0, expired: 1, dropped: 0, unknown: 0 },
  });
});

test('groups: are listed page by page, within the business', async (t) => {
  const { call, routing } = await startBridge(t);
  for (const name of ['a', 'b', 'c']) await routing.createGroup(1, name);
  await routing.createGroup(2, 'theirs');
  const first = await call('GET', '/v1/groups?limit=2', { key });
  t.deepEqual(
    first.json.groups.map(({ group }: { group: string }) => group),
    ['a', 'b'],
  );
  const second = await call('GET', `/v1/groups?limit=2&after=${encodeURIComponent(first.json.next)}`, { key });
  t.deepEqual(second.json, { groups: [{ group: 'c', members: 0, createdAtMs: 1_750_000_000_000 }] });
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'after=', 'page=2']) {
    const answer = await call('GET', `/v1/groups?${query}`, { key });
    t.is(answer.status, 400, query);
    t.is(answer.json.errors[0].in, 'query');
  }
});
