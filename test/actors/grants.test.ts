import test from 'ava';
import { matchesGroup } from '../../actors/business.js';
import { GrantTable, withoutBusiness } from '../../actors/grants.js';
import { testBusiness } from '../support/test-business.js';

const IM = testBusiness({ id: 1, name: 'im' });
const LIVE = testBusiness({ id: 2, name: 'live' });

test('grants: equal names share one map, unknown ones grant nothing', (t) => {
  const table = new GrantTable([IM, LIVE]);
  const both = table.of('demo', ['im', 'live']);
  t.deepEqual([...both.keys()], [1, 2]);
  t.is(table.of('demo', ['im', 'live']), both);
  t.deepEqual([...table.of('demo', ['live', 'other']).keys()], [2]);
  t.is(table.of('demo', []).size, 0);
});

test('grants: a business grants itself only to the apps it serves', (t) => {
  const table = new GrantTable([testBusiness({ id: 1, name: 'im', apps: new Set(['shop']) }), LIVE]);
  t.deepEqual([...table.of('shop', ['im', 'live']).keys()], [1]);
  t.deepEqual([...table.of('demo', ['im', 'live']).keys()], [2]);
});

test('grants: after a reset, new look-ups see the new businesses and old maps stay', (t) => {
  const table = new GrantTable([IM, LIVE]);
  const both = table.of('demo', ['im', 'live']);
  table.reset([LIVE]);
  t.deepEqual([...table.of('demo', ['im', 'live']).keys()], [2]);
  t.is(both.size, 2);
});

test('grants: a name that looks like two grants neither', (t) => {
  const table = new GrantTable([IM, LIVE]);
  table.of('demo', ['im', 'live']);
  for (const name of ['im live', 'im,live', 'im\0live', 'im","live']) t.is(table.of('demo', [name]).size, 0);
});

test('grants: taking one business out leaves the shared map alone', (t) => {
  const table = new GrantTable([IM, LIVE]);
  const both = table.of('demo', ['im', 'live']);
  t.deepEqual([...withoutBusiness(both, 1).keys()], [2]);
  t.is(both.size, 2);
});

test('grants: a group is named in full or by a prefix', (t) => {
  t.true(matchesGroup(['lobby', 'room-*'], 'lobby'));
  t.true(matchesGroup(['lobby', 'room-*'], 'room-'));
  t.true(matchesGroup(['*'], 'anything'));
  t.false(matchesGroup(['lobby', 'room-*'], 'lobby2'));
  t.false(matchesGroup(['room*x'], 'roomx'));
  t.false(matchesGroup([], 'lobby'));
});
