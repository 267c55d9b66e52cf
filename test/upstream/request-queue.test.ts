import test from 'ava';
import fc from 'fast-check';
import { type QueueEntry, RequestQueue } from '../../upstream/request-queue.js';

class Entry implements QueueEntry {
  previous: QueueEntry | undefined;
  next: QueueEntry | undefined;
  constructor(
    readonly name: number,
    readonly started: number[],
    readonly onStart: () => boolean = () => true,
  ) {}
  start(): boolean {
    this.started.push(this.name);
    return this.onStart();
  }
}

function entries(count: number, started: number[], onStart?: () => boolean): Entry[] {
  return Array.from({ length: count }, (_, name) => new Entry(name, started, onStart));
}

test('request queue: starts up to the concurrency, lets as many wait as it may, refuses the rest', (t) => {
  const started: number[] = [];
  const queue = new RequestQueue({ concurrency: 2, maxQueue: 2 });
  t.deepEqual(
    entries(5, started).map((entry) => queue.enter(entry)),
    [true, true, true, true, false],
  );
  t.deepEqual(started, [0, 1]);
  t.is(queue.waiting, 2);
  queue.release();
  queue.release();
  t.deepEqual(started, [0, 1, 2, 3]);
  t.is(queue.running, 2);
});

test('request queue: whoever leaves frees its place, from the front, the middle and the end', (t) => {
  const started: number[] = [];
  const queue = new RequestQueue({ concurrency: 1, maxQueue: 5 });
  const all = entries(6, started);
  for (const entry of all) queue.enter(entry);
  for (const index of [1, 3, 5, 3]) queue.leave(all[index] as Entry);
  t.is(queue.waiting, 2);
  for (let i = 0; i < 3; i++) queue.release();
  t.deepEqual(started, [0, 2, 4]);
  t.is(queue.running, 0);
});

test('request queue: a declined slot goes to the next', (t) => {
  const started: number[] = [];
  const queue = new RequestQueue({ concurrency: 1, maxQueue: 5 });
  queue.enter(new Entry(0, started));
  for (const name of [1, 2, 3]) queue.enter(new Entry(name, started, () => name === 3));
  queue.release();
  t.deepEqual(started, [0, 1, 2, 3]);
  t.is(queue.running, 1);
});

test('request queue: a hundred thousand entries that end as they start need no deep stack', (t) => {
  const count = 100_000;
  const started: number[] = [];
  const queue = new RequestQueue({ concurrency: 1, maxQueue: count });
  queue.enter(new Entry(-1, started));
  const endAtOnce = () => {
    queue.release();
    return true;
  };
  for (const entry of entries(count, started, endAtOnce)) queue.enter(entry);
  queue.release();
  t.is(started.length, count + 1);
  t.is(queue.running, 0);
});

test('request queue: any order of entering, leaving and releasing keeps its bounds and its order', (t) => {
  const step = fc.record({ what: fc.constantFrom('enter', 'leave', 'release'), pick: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const started: number[] = [];
      const queue = new RequestQueue({ concurrency: 3, maxQueue: 4 });
      const waiting: Entry[] = [];
      let running = 0;
      let serial = 0;
      for (const { what, pick } of steps) {
        if (what === 'enter') {
          const entry = new Entry(serial++, started);
          const isIn = queue.enter(entry);
          if (running < 3) running += 1;
          else if (isIn) waiting.push(entry);
        } else if (what === 'leave') {
          const [entry] = waiting.splice(pick % Math.max(1, waiting.length), 1);
          if (entry !== undefined) queue.leave(entry);
        } else if (running > 0) {
          queue.release();
          if (waiting.shift() === undefined) running -= 1;
        }
        if (queue.running !== running || queue.waiting !== waiting.length || waiting.length > 4) return false;
      }
      return started.every((name, i) => i === 0 || name > (started[i - 1] as number));
    }),
  );
  t.pass();
});
