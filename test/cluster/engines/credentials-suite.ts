/** What every engine promises of shared credentials. */
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { CredentialStore, SharedRecord, StoreMark } from '../../../cluster/engines/contract/index.js';
import { createOne, createTwo, type EnginesUnderTest, NOBODY, NODE, ODD_NAMES, OTHER_NODE } from './under-test.js';

const record = (key: string, order: number, fields: Partial<SharedRecord> = {}): SharedRecord => ({
  key,
  order,
  value: `${key} at ${order}`,
  untilMs: 0,
  ...fields,
});

async function readAll(
  store: CredentialStore,
  since?: StoreMark,
): Promise<{ records: SharedRecord[]; mark: StoreMark }> {
  const records: SharedRecord[] = [];
  let mark = since;
  for (;;) {
    const page = await store.read(mark);
    records.push(...page.records);
    mark = page.mark;
    if (!page.hasMore) return { records, mark };
  }
}

export function testCredentials(name: string, engines: EnginesUnderTest): void {
  test(`${name} credentials: an empty store has nothing, from the beginning`, async (t) => {
    const { credentials } = await createOne(engines, t);
    t.like(await credentials.read(), { records: [], isFirst: true, hasMore: false });
  });

  test(`${name} credentials: the greater order stays, whoever comes first`, async (t) => {
    const { credentials } = await createOne(engines, t);
    await credentials.put([record('a', 2), record('b', 1), record('a', 1)]);
    await credentials.put([record('b', 1, { value: 'says the same again' }), record('b', 3), record('a', 1)]);
    t.deepEqual((await readAll(credentials)).records, [record('a', 2), record('b', 3)]);
  });

  test(`${name} credentials: who has read to a mark is given what came after it, and nothing twice`, async (t) => {
    const { credentials } = await createOne(engines, t);
    await credentials.put([record('a', 1), record('b', 1)]);
    const { mark } = await readAll(credentials);
    t.deepEqual((await readAll(credentials, mark)).records, []);
    t.deepEqual(await credentials.put([record('a', 1)]), mark, 'nothing was new');
    const put = await credentials.put([record('c', 1), record('a', 2)]);
    const page = await credentials.read(mark);
    t.deepEqual(page, { records: [record('c', 1), record('a', 2)], mark: put, isFirst: false, hasMore: false });
  });

  test(`${name} credentials: a mark of another store is read from the beginning`, async (t) => {
    const { credentials } = await createOne(engines, t);
    await credentials.put([record('a', 1)]);
    const page = await credentials.read({ epoch: 'another', version: Number.MAX_SAFE_INTEGER });
    t.like(page, { isFirst: true, records: [record('a', 1)] });
  });

  test(`${name} credentials: many come in pages, each once, in order`, async (t) => {
    const { credentials } = await createOne(engines, t);
    const records = Array.from({ length: 1_234 }, (_, i) => record(`r-${i}`, 1));
    await credentials.put(records);
    const first = await credentials.read();
    t.like(first, { isFirst: true, hasMore: true });
    t.like(await credentials.read(first.mark), { isFirst: false, hasMore: true });
    t.deepEqual((await readAll(credentials)).records, records);
  });

  test(`${name} credentials: what is over is not taken and is forgotten`, async (t) => {
    const { credentials } = await createOne(engines, t);
    await credentials.put([record('over', 1, { untilMs: Date.now() - 60_000 }), record('for ever', 1)]);
    await credentials.put([record('soon', 1, { untilMs: Date.now() + 300 })]);
    await credentials.put([record('longer', 1, { untilMs: Date.now() + 600_000 })]);
    while ((await readAll(credentials)).records.length !== 2) {
      await delay(20);
      await credentials.put([record('for ever', 1)]);
    }
    t.deepEqual(
      (await readAll(credentials)).records.map(({ key }) => key),
      ['for ever', 'longer'],
    );
  });

  test(`${name} credentials: any text is kept as it is`, async (t) => {
    const { credentials } = await createOne(engines, t);
    const records = [...ODD_NAMES, 'a\0b', ''].map((odd, i) => record(`k${odd}`, i, { value: ` ${odd} 1 ` }));
    await credentials.put(records);
    t.deepEqual((await readAll(credentials)).records, records);
  });

  test(`${name} credentials: nodes say how far they are, and are asked together`, async (t) => {
    const { credentials } = await createOne(engines, t);
    const mark = await credentials.put([record('a', 1)]);
    await credentials.confirm(NODE, mark);
    await credentials.confirm(OTHER_NODE, { epoch: 'e', version: 5 });
    t.deepEqual(await credentials.confirmed([OTHER_NODE, NOBODY, NODE]), [{ epoch: 'e', version: 5 }, undefined, mark]);
    t.deepEqual(await credentials.confirmed([]), []);
  });

  test(`${name} credentials: a change is announced, also to those who did not make it`, async (t) => {
    const [one, other] = engines.spansNodes
      ? await createTwo(engines, t)
      : await createOne(engines, t).then((engine) => [engine, engine] as const);
    let heard = 0;
    other.credentials.onChange(() => {
      heard += 1;
    });
    // What is announced while a connection breaks is lost, so one announcement does not prove it.
    for (let order = 1; heard === 0; order++) {
      await one.credentials.put([record('a', order)]);
      await delay(20);
    }
    t.is((await readAll(other.credentials)).records.length, 1);
  });

  if (!engines.spansNodes) return;

  test(`${name} credentials: nodes that put at once end with the same`, async (t) => {
    const [one, other] = await createTwo(engines, t);
    const of = (from: number) => Array.from({ length: 50 }, (_, i) => record(`r-${i}`, ((i * 7 + from) % 11) + 1));
    await Promise.all([one.credentials.put(of(0)), other.credentials.put(of(5))]);
    const expected = of(0).map((a, i) => Math.max(a.order, of(5)[i]?.order ?? 0));
    for (const { credentials } of [one, other]) {
      const orders = new Map((await readAll(credentials)).records.map(({ key, order }) => [key, order]));
      t.deepEqual(
        expected.map((_, i) => orders.get(`r-${i}`)),
        expected,
      );
    }
  });
}
