import test from 'ava';
import { Roster } from '../../demo/roster.js';
import type { WayIn } from '../../demo/way-in.js';

const person = (deviceId: string, name: string, wayIn?: WayIn) => ({ deviceId, name, wayIn });
const online = (...ids: string[]) => new Map(ids.map((id) => [id, true]));
const offline = (...ids: string[]) => new Map(ids.map((id) => [id, false]));

test('roster: a hello adds, a second one changes nothing, a new name does', (t) => {
  const roster = new Roster();
  t.true(roster.hello(person('d1', 'Ada'), 0));
  t.false(roster.hello(person('d1', 'Ada'), 1));
  t.true(roster.hello(person('d1', 'Bo'), 2));
  t.deepEqual(roster.list(), [{ deviceId: 'd1', name: 'Bo', online: true, wayIn: undefined }]);
  t.is(roster.nameOf('d1'), 'Bo');
  t.is(roster.nameOf('stranger'), 'stranger');
});

test('roster: the order is that of the first hello', (t) => {
  const roster = new Roster();
  for (const id of ['d2', 'd1', 'd2']) roster.hello(person(id, id), 0);
  t.deepEqual(roster.deviceIds(), ['d2', 'd1']);
});

test('roster: a device that went away stays listed for a while', (t) => {
  const roster = new Roster(100);
  roster.hello(person('d1', 'Ada'), 0);
  t.true(roster.observe(offline('d1'), 50));
  t.deepEqual(roster.list(), [{ deviceId: 'd1', name: 'Ada', online: false, wayIn: undefined }]);
  t.false(roster.observe(offline('d1'), 99), 'nothing new');
  t.true(roster.observe(offline('d1'), 100));
  t.deepEqual(roster.list(), []);
});

test('roster: a device that comes back counts its absence anew', (t) => {
  const roster = new Roster(100);
  roster.hello(person('d1', 'Ada'), 0);
  roster.observe(offline('d1'), 90);
  t.true(roster.observe(online('d1'), 95));
  t.false(roster.observe(online('d1'), 150));
  t.true(roster.observe(offline('d1'), 200));
  t.is(roster.list()[0]?.online, false);
});

test('roster: what presence does not mention stays as it was', (t) => {
  const roster = new Roster(100);
  roster.hello(person('d1', 'Ada'), 0);
  t.false(roster.observe(new Map(), 1_000));
  t.is(roster.list()[0]?.online, true);
});

test('roster: another way in is a change', (t) => {
  const roster = new Roster();
  const tls: WayIn = { choice: 'race', protocol: 'tls', why: 'fallback', losers: 1 };
  t.true(roster.hello(person('d1', 'Ada', tls), 0));
  t.false(roster.hello(person('d1', 'Ada', { ...tls }), 1));
  t.true(roster.hello(person('d1', 'Ada', { ...tls, losers: 2 }), 2));
  t.like(roster.list(), [{ wayIn: { protocol: 'tls', losers: 2 } }]);
});
