import test from 'ava';
import { outsideWheel, TimerWheel, type WheelItem } from '../../actors/timer-wheel.js';

const TICK_MS = 250;

class Item implements WheelItem {
  readonly place = outsideWheel();
  readonly calls: number[] = [];
  constructor(readonly then: (item: Item) => number = () => 0) {}
  onDue(nowMs: number): number {
    this.calls.push(nowMs);
    return this.then(this);
  }
}

function run(wheel: TimerWheel, ticks: number, from = 1): void {
  for (let i = from; i < from + ticks; i++) wheel.tick(i * TICK_MS);
}

test('timer wheel: an item is called once, at the tick of its delay', (t) => {
  const wheel = new TimerWheel();
  const items = [0, 1, 250, 251, 1_000].map((delayMs) => {
    const item = new Item();
    wheel.schedule(item, delayMs);
    return item;
  });
  run(wheel, 20);
  t.deepEqual(
    items.map(({ calls }) => calls),
    [[250], [250], [250], [500], [1_000]],
  );
});

test('timer wheel: an item that names a delay is called again', (t) => {
  const wheel = new TimerWheel();
  const item = new Item(({ calls }) => (calls.length < 3 ? 500 : 0));
  wheel.schedule(item, 250);
  run(wheel, 20);
  t.deepEqual(item.calls, [250, 750, 1_250]);
});

test('timer wheel: scheduling again moves, removing takes out, both as often as one likes', (t) => {
  const wheel = new TimerWheel();
  const [moved, removed, stays] = [new Item(), new Item(), new Item()];
  for (const item of [moved, removed, stays]) wheel.schedule(item, 500);
  wheel.schedule(moved, 1_000);
  wheel.remove(removed);
  wheel.remove(removed);
  run(wheel, 8);
  t.deepEqual([moved.calls, removed.calls, stays.calls], [[1_000], [], [500]]);
  wheel.remove(moved);
});

test('timer wheel: an item removed or moved by another of the same tick is not called in it', (t) => {
  const wheel = new TimerWheel();
  const [removed, moved] = [new Item(), new Item()];
  const first = new Item(() => {
    wheel.remove(removed);
    wheel.schedule(moved, 500);
    return 0;
  });
  for (const item of [first, removed, moved]) wheel.schedule(item, 250);
  run(wheel, 8);
  t.deepEqual([first.calls, removed.calls, moved.calls], [[250], [], [750]]);
});

test('timer wheel: an item may take itself out and come in again while it is called', (t) => {
  const wheel = new TimerWheel();
  const item = new Item((self) => {
    wheel.remove(self);
    if (self.calls.length === 1) wheel.schedule(self, 750);
    return 0;
  });
  wheel.schedule(item, 250);
  run(wheel, 12);
  t.deepEqual(item.calls, [250, 1_000]);
});

test('timer wheel: a delay longer than the wheel is reached by an item that looks at the clock', (t) => {
  const wheel = new TimerWheel();
  const dueMs = 300_000;
  const items = Array.from({ length: 3 }, () => {
    const item: Item = new Item(() => Math.max(dueMs - (item.calls.at(-1) as number), 0));
    wheel.schedule(item, dueMs);
    return item;
  });
  run(wheel, 2_000);
  for (const { calls } of items) {
    t.is(calls.at(-1), dueMs);
    t.true(calls.length <= 4, `${calls}`);
  }
});

test('timer wheel: its own timer ticks until it is stopped', async (t) => {
  const wheel = new TimerWheel();
  const item = new Item();
  wheel.schedule(item, 1);
  wheel.start(() => 42);
  // The wheel's timer alone would not keep the process.
  const keeper = setInterval(() => {}, 10);
  while (item.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  clearInterval(keeper);
  wheel.stop();
  t.deepEqual(item.calls, [42]);
});
