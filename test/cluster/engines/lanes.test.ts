import test from 'ava';
import { EngineUnavailableError } from '../../../actors/index.js';
import { Lanes } from '../../../cluster/engines/redis/lanes.js';
import { turns } from '../../support/until.js';

interface Call {
  readonly key: string;
  readonly items: readonly number[];
  readonly answer: () => void;
  readonly fail: (error: Error) => void;
}

/** Items are one byte each; an outcome is that byte. */
function createLanes() {
  const calls: Call[] = [];
  const lanes = new Lanes<number>(
    (key, items) =>
      new Promise((resolve, reject) => {
        const first = items.map((item) => item[0] ?? -1);
        calls.push({ key, items: first, answer: () => resolve(first), fail: reject });
      }),
  );
  return { calls, add: (key: string, byte: number, length = 1) => lanes.add(key, new Uint8Array(length).fill(byte)) };
}

test('lanes: the first leaves at once, what comes meanwhile leaves together when it is answered', async (t) => {
  const { calls, add } = createLanes();
  const outcomes = [1, 2, 3].map((byte) => add('a', byte));
  t.deepEqual(itemsOf(calls), [[1]]);
  calls[0]?.answer();
  await turns(2);
  t.deepEqual(itemsOf(calls), [[1], [2, 3]]);
  outcomes.push(add('a', 4));
  calls[1]?.answer();
  await turns(2);
  calls[2]?.answer();
  t.deepEqual(await Promise.all(outcomes), [1, 2, 3, 4]);
  t.deepEqual(itemsOf(calls), [[1], [2, 3], [4]]);
});

test('lanes: one key does not wait for another', (t) => {
  const { calls, add } = createLanes();
  void add('a', 1);
  void add('b', 2);
  t.deepEqual(
    calls.map(({ key }) => key),
    ['a', 'b'],
  );
});

test('lanes: when a batch fails, what waits behind it fails as never sent, and the next one leaves', async (t) => {
  const { calls, add } = createLanes();
  const [first, second, third] = [add('a', 1), add('a', 2), add('a', 3)];
  calls[0]?.fail(new EngineUnavailableError(true));
  t.true((await t.throwsAsync<EngineUnavailableError>(first))?.mayHaveArrived);
  for (const waiting of [second, third]) {
    const error = await t.throwsAsync<EngineUnavailableError>(waiting, { instanceOf: EngineUnavailableError });
    t.false(error?.mayHaveArrived);
  }
  const fourth = add('a', 4);
  await turns(2);
  t.deepEqual(itemsOf(calls), [[1], [4]]);
  calls[1]?.answer();
  t.is(await fourth, 4);
});

test('lanes: a batch is at most a mebibyte, unless one item alone is longer', async (t) => {
  const { calls, add } = createLanes();
  void add('a', 0);
  const outcomes = [600_000, 400_000, 600_000, 3_000_000, 1].map((length, i) => add('a', i + 1, length));
  for (let i = 0; i < 4; i++) {
    calls[i]?.answer();
    await turns(2);
  }
  t.deepEqual(itemsOf(calls), [[0], [1, 2], [3], [4], [5]]);
  calls[4]?.answer();
  t.deepEqual(await Promise.all(outcomes), [1, 2, 3, 4, 5]);
});

function itemsOf(calls: readonly Call[]) {
  return calls.map(({ items }) => items);
}
