/** What every engine promises of groups. */
import test from 'ava';
import type { GroupStore } from '../../../actors/index.js';
import { createOne, createTwo, type EnginesUnderTest, NODE, ODD_NAMES, OTHER_NODE } from './under-test.js';

const everybody = () => 'live' as const;

export function testGroups(name: string, engines: EnginesUnderTest): void {
  test(`${name} groups: create and dissolve say whether they did`, async (t) => {
    const { groups } = await createOne(engines, t);
    t.is(await groups.get(1, 'room'), undefined);
    t.true(await groups.create(1, 'room'));
    t.false(await groups.create(1, 'room'));
    t.true(await groups.dissolve(1, 'room'));
    t.false(await groups.dissolve(1, 'room'));
    t.is(await groups.get(1, 'room'), undefined);
  });

  test(`${name} groups: of many who create one at once, one has`, async (t) => {
    const { groups } = await createOne(engines, t);
    const created = await Promise.all([1, 2, 3, 4].map(() => groups.create(1, 'room')));
    t.is(created.filter(Boolean).length, 1);
    const dissolved = await Promise.all([1, 2, 3].map(() => groups.dissolve(1, 'room')));
    t.is(dissolved.filter(Boolean).length, 1);
  });

  test(`${name} groups: one that is made again has a new epoch and begins anew`, async (t) => {
    const { groups, bus } = await createOne(engines, t);
    await groups.create(1, 'room');
    await bus.multicast(1, 'room', new Uint8Array(1));
    const before = await groups.get(1, 'room');
    t.is(before?.offset, 1);
    t.is((await groups.get(1, 'room'))?.epoch, before?.epoch);
    await groups.dissolve(1, 'room');
    await groups.create(1, 'room');
    const after = await groups.get(1, 'room');
    t.not(after?.epoch, before?.epoch);
    t.is(after?.offset, 0);
    t.true((after?.createdAtMs ?? 0) >= (before?.createdAtMs ?? 0));
    t.true(Math.abs(Date.now() - (after?.createdAtMs ?? 0)) < 60_000);
  });

  test(`${name} groups: the same name in two businesses is two groups`, async (t) => {
    const { groups, bus } = await createOne(engines, t);
    await groups.create(1, '1 room');
    await groups.create(1, '1:room');
    await groups.create(11, 'room');
    t.true(await groups.create(1, 'room'));
    await bus.multicast(1, 'room', new Uint8Array(1));
    t.is((await groups.get(1, 'room'))?.offset, 1);
    for (const [business, group] of [
      [1, '1 room'],
      [1, '1:room'],
      [11, 'room'],
    ] as const) {
      t.is((await groups.get(business, group))?.offset, 0);
    }
    t.true(await groups.dissolve(1, 'room'));
    t.not(await groups.get(1, '1 room'), undefined);
    t.not(await groups.get(11, 'room'), undefined);
  });

  test(`${name} groups: a record that was handed out does not move`, async (t) => {
    const { groups, bus } = await createOne(engines, t);
    await groups.create(1, 'room');
    const record = await groups.get(1, 'room');
    await bus.multicast(1, 'room', new Uint8Array(1));
    t.is(record?.offset, 0);
  });

  test(`${name} groups: pages hold every group of the business once`, async (t) => {
    const { groups } = await createOne(engines, t);
    const names = [...Array.from({ length: 60 }, (_, i) => `room ${i}`), ...ODD_NAMES];
    for (const group of names) t.true(await groups.create(1, group));
    await groups.create(2, 'theirs');
    await groups.create(1, 'gone');
    await groups.dissolve(1, 'gone');
    const seen: string[] = [];
    for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
      const page = await groups.list(1, { after, limit: 7 });
      t.true(page.groups.length <= 7);
      for (const { group, createdAtMs } of page.groups) {
        seen.push(group);
        t.is((await groups.get(1, group))?.createdAtMs, createdAtMs);
      }
      after = page.next;
    }
    t.deepEqual(seen.toSorted(), names.toSorted());
    t.deepEqual(await groups.list(3, { limit: 5 }), { groups: [] });
    t.deepEqual((await groups.list(2, { after: 'theirs', limit: 5 })).groups, []);
  });

  test(`${name} groups: a group that stays is listed once, whoever comes and goes between two pages`, async (t) => {
    const { groups } = await createOne(engines, t);
    const stay = Array.from({ length: 30 }, (_, i) => `stay-${i}`);
    const go = Array.from({ length: 30 }, (_, i) => `go-${i}`);
    for (const group of [...stay, ...go]) await groups.create(1, group);
    const seen: string[] = [];
    let pages = 0;
    for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
      const page = await groups.list(1, { after, limit: 5 });
      for (const { group } of page.groups) seen.push(group);
      after = page.next;
      // Among them the one that the cursor names.
      if (after?.startsWith('go')) await groups.dissolve(1, after);
      await groups.dissolve(1, go[pages] as string);
      await groups.create(1, `new-${pages}`);
      pages += 1;
    }
    t.is(new Set(seen).size, seen.length);
    t.deepEqual(seen.filter((group) => group.startsWith('stay')).sort(), stay.toSorted());
  });

  test(`${name} groups: sizes add up over nodes, the last one said counts, and none is none`, async (t) => {
    const { groups } = await createOne(engines, t);
    for (const group of ['a', 'b}', 'c']) await groups.create(1, group);
    await groups.create(2, 'a');
    t.deepEqual(await groups.setSizes(NODE, [size('a', 5), size('b}', 1)]), []);
    t.deepEqual(await groups.setSizes(OTHER_NODE, [size('a', 7), size('c', 4), size('a', 70, 2)]), []);
    await groups.setSizes(NODE, [size('a', 6)]);
    t.deepEqual(await groups.sizes(1, ['c', 'a', 'nowhere', 'b}', 'a'], everybody), [4, 13, 0, 1, 13]);
    t.deepEqual(await groups.sizes(2, ['a'], everybody), [70]);
    await groups.setSizes(OTHER_NODE, [size('a', 0), size('nowhere', 0)]);
    t.deepEqual(await groups.sizes(1, ['a'], everybody), [6]);
    t.deepEqual(await groups.sizes(1, [], everybody), []);
    t.deepEqual(await groups.setSizes(NODE, []), []);
  });

  test(`${name} groups: a suspect node's members are not counted, and what a gone one left is removed`, async (t) => {
    const { groups } = await createOne(engines, t);
    await groups.create(1, 'a');
    await groups.setSizes(NODE, [size('a', 5)]);
    await groups.setSizes(OTHER_NODE, [size('a', 7)]);
    t.deepEqual(await groups.sizes(1, ['a'], (incarnation) => (incarnation === NODE ? 'live' : 'suspect')), [5]);
    t.deepEqual(await groups.sizes(1, ['a'], everybody), [12], 'it was not gone');
    t.deepEqual(await groups.sizes(1, ['a'], (incarnation) => (incarnation === NODE ? 'live' : 'gone')), [5]);
    t.deepEqual(await groups.sizes(1, ['a'], everybody), [5]);
    await groups.setSizes(OTHER_NODE, [size('a', 2)]);
    t.deepEqual(await groups.sizes(1, ['a'], everybody), [7]);
  });

  test(`${name} groups: sizes end with the group, and a group that is not there takes none`, async (t) => {
    const { groups } = await createOne(engines, t);
    await groups.create(1, 'a');
    await groups.create(1, 'b');
    await groups.setSizes(NODE, [size('a', 5)]);
    await groups.dissolve(1, 'a');
    t.deepEqual(await groups.setSizes(NODE, [size('b', 1), size('a', 6), size('nowhere', 1)]), [
      size('a', 6),
      size('nowhere', 1),
    ]);
    t.deepEqual(await groups.sizes(1, ['a', 'b'], everybody), [0, 1]);
    await groups.create(1, 'a');
    t.deepEqual(await groups.sizes(1, ['a'], everybody), [0]);
  });

  test(`${name} groups: a listing and the groups agree after creations and dissolutions at once`, async (t) => {
    const { groups } = await createOne(engines, t);
    await stir([groups]);
    await assertListed(t, groups);
  });

  if (!engines.spansNodes) return;

  test(`${name} groups: nodes see the same groups and sizes`, async (t) => {
    const [one, other] = await createTwo(engines, t);
    t.true(await one.groups.create(1, 'room'));
    t.false(await other.groups.create(1, 'room'));
    t.deepEqual(await other.groups.get(1, 'room'), await one.groups.get(1, 'room'));
    await one.groups.setSizes(NODE, [size('room', 2)]);
    await other.groups.setSizes(OTHER_NODE, [size('room', 3)]);
    t.deepEqual(await one.groups.sizes(1, ['room'], everybody), [5]);
    t.true(await other.groups.dissolve(1, 'room'));
    t.is(await one.groups.get(1, 'room'), undefined);
  });

  test(`${name} groups: a listing and the groups agree after two nodes created and dissolved at once`, async (t) => {
    const [one, other] = await createTwo(engines, t);
    await stir([one.groups, other.groups]);
    await assertListed(t, one.groups);
  });
}

const FEW = ['a', 'b', 'c', 'd', 'e'];

/** Creates, dissolves and lists the same few groups, all at once. */
async function stir(stores: readonly GroupStore[]): Promise<void> {
  const work: Promise<unknown>[] = [];
  for (let i = 0; i < 300; i++) {
    const store = stores[i % stores.length] as GroupStore;
    const group = FEW[Math.floor(Math.random() * FEW.length)] as string;
    const kind = Math.random();
    if (kind < 0.45) work.push(store.create(1, group));
    else if (kind < 0.85) work.push(store.dissolve(1, group));
    else work.push(store.list(1, { limit: 10 }));
    if (i % 10 === 0) await Promise.race(work);
  }
  await Promise.all(work);
}

async function assertListed(t: { deepEqual(a: unknown, b: unknown): void }, groups: GroupStore): Promise<void> {
  const records = await Promise.all(FEW.map((group) => groups.get(1, group)));
  const listed = (await groups.list(1, { limit: 10 })).groups.map(({ group }) => group);
  t.deepEqual(
    listed.toSorted(),
    FEW.filter((_, i) => records[i] !== undefined),
  );
}

function size(group: string, members: number, businessId = 1) {
  return { businessId, group, members };
}
