import test from 'ava';
import { EventQueue } from '../../../cluster/events/event-queue.js';
import { eventOf, nameOf } from './fixtures.js';

const ROOMY = { maxWaiting: 100, maxPerDevice: 10 };

test('event queue: devices take turns in the order in which they came', (t) => {
  const queue = new EventQueue(ROOMY);
  for (const device of ['a', 'b', 'c']) queue.add(eventOf(device, 1));
  t.deepEqual(
    [queue.take(), queue.take(), queue.take()].map((entry) => entry && nameOf(entry.event)),
    ['a1+', 'b1+', 'c1+'],
  );
  t.is(queue.take(), undefined);
  t.is(queue.waiting, 0);
});

test('event queue: of one device one is on its way, and the next follows when it is done', (t) => {
  const queue = new EventQueue(ROOMY);
  queue.add(eventOf('a', 1));
  queue.add(eventOf('a', 1, { type: 'disconnected' }));
  const first = queue.take();
  t.is(queue.take(), undefined);
  t.is(queue.waiting, 1);
  queue.done(first as NonNullable<typeof first>);
  t.is(nameOf(queue.take()?.event as never), 'a1-');
});

test('event queue: what waits of one device is in the order of its fences, whatever the order of arrival', (t) => {
  const queue = new EventQueue(ROOMY);
  queue.add(eventOf('a', 2));
  queue.add(eventOf('a', 1, { type: 'disconnected' }));
  queue.add(eventOf('a', 2, { type: 'disconnected' }));
  queue.add(eventOf('a', 1));
  const names: string[] = [];
  for (let entry = queue.take(); entry !== undefined; entry = queue.take()) {
    names.push(nameOf(entry.event));
    queue.done(entry);
  }
  t.deepEqual(names, ['a1+', 'a1-', 'a2+', 'a2-']);
});

test('event queue: when full, the oldest of all goes', (t) => {
  const queue = new EventQueue({ maxWaiting: 2, maxPerDevice: 10 });
  t.is(queue.add(eventOf('a', 1)), undefined);
  t.is(queue.add(eventOf('b', 1)), undefined);
  t.is(nameOf(queue.add(eventOf('c', 1)) as never), 'a1+');
  t.is(queue.waiting, 2);
  t.deepEqual(
    [queue.take(), queue.take(), queue.take()].map((entry) => entry?.event.deviceId),
    ['b', 'c', undefined],
  );
});

test('event queue: a device that flaps pushes out its own events', (t) => {
  const queue = new EventQueue({ maxWaiting: 100, maxPerDevice: 2 });
  queue.add(eventOf('quiet', 1));
  const dropped = [1, 2, 3, 4].map((fence) => queue.add(eventOf('flaps', fence)));
  t.deepEqual(
    dropped.map((event) => event && nameOf(event)),
    [undefined, undefined, 'flaps1+', 'flaps2+'],
  );
  t.is(queue.waiting, 3);
});

test('event queue: what is put back comes first and holds its device', (t) => {
  const queue = new EventQueue(ROOMY);
  queue.add(eventOf('a', 1));
  const first = queue.take();
  queue.add(eventOf('b', 1));
  queue.add(eventOf('a', 2));
  queue.putBack(first as NonNullable<typeof first>);
  t.is(queue.waiting, 3);
  t.is(queue.take(), first);
  t.is(queue.take()?.event.deviceId, 'b');
  t.is(queue.take(), undefined);
});

test('event queue: the old are taken out, oldest first, and leave no empty turn behind', (t) => {
  const queue = new EventQueue(ROOMY);
  for (const [device, atMs] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const)
    queue.add(eventOf(device, 1, { atMs }));
  t.is(queue.dropOlderThan(3)?.deviceId, 'a');
  t.is(queue.dropOlderThan(3)?.deviceId, 'b');
  t.is(queue.dropOlderThan(3), undefined);
  t.is(queue.take()?.event.deviceId, 'c');
  t.is(queue.take(), undefined);
  t.false(queue.hasReady);
});
