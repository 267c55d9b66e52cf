import { setImmediate as immediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import fc from 'fast-check';
import { DeliveryFlag, type DeliveryOptions, NO_OPTIONS } from '../../actors/delivery-options.js';
import { indexOf, NO_TICKET, OutboundQueue, pushIdOf, ticketOf } from '../../actors/outbound-queue.js';
import { OutcomeCode } from '../../actors/outcome-batch.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Given {
  readonly text: string;
  readonly businessId?: number;
  readonly group?: string;
  readonly messages?: number;
  readonly ticket?: number;
  readonly sinceMs?: number;
  readonly options?: DeliveryOptions;
}

function queueOf(...entries: Given[]): OutboundQueue {
  const queue = new OutboundQueue();
  for (const {
    text,
    businessId = 1,
    group = '',
    messages = 1,
    ticket = NO_TICKET,
    sinceMs = 0,
    options = NO_OPTIONS,
  } of entries) {
    queue.push({ wire: Buffer.from(text), businessId, group, messages, ticket, sinceMs, options });
  }
  return queue;
}

function drain(queue: OutboundQueue): string {
  let text = '';
  while (!queue.isEmpty) text += Buffer.from(queue.take(1).wire).toString();
  return text;
}

function settlements() {
  const settled: [number, OutcomeCode][] = [];
  return { settled, settle: (ticket: number, code: OutcomeCode) => void settled.push([ticket, code]) };
}

test('outbound queue: a ticket names a push and a target, up to the largest of both', (t) => {
  for (const [pushId, index] of [
    [1, 0],
    [5, 65_534],
    [0xffff_ffff, 999],
  ] as const) {
    const ticket = ticketOf(pushId, index);
    t.deepEqual([pushIdOf(ticket), indexOf(ticket)], [pushId, index]);
  }
});

test('outbound queue: take gathers whole entries up to its size, and at least one', (t) => {
  const queue = queueOf({ text: 'aaaa', ticket: 11 }, { text: 'bb' }, { text: 'cc', ticket: 13 }, { text: 'dddddd' });
  const first = queue.take(8);
  t.is(Buffer.from(first.wire).toString(), 'aaaabbcc');
  t.deepEqual(first.tickets, [11, 13]);
  t.is(queue.bytes, 6);
  t.is(Buffer.from(queue.take(1).wire).toString(), 'dddddd');
  t.true(queue.isEmpty);
  t.is(queue.bytes, 0);
});

test('outbound queue: an entry that leaves alone is not copied', (t) => {
  const wire = Buffer.from('as it is');
  const queue = new OutboundQueue();
  queue.push({ wire, businessId: 1, group: '', messages: 1, ticket: NO_TICKET, sinceMs: 0, options: NO_OPTIONS });
  t.is(queue.take(100).wire, wire);
});

test('outbound queue: dropOldest counts pushes per group and leaves other businesses alone', (t) => {
  const { settled, settle } = settlements();
  const queue = queueOf(
    { text: 'aaa', group: 'g', messages: 3 },
    { text: 'xxx', businessId: 2 },
    { text: 'bbb', ticket: 5 },
    { text: 'own', businessId: 0 },
    { text: 'ccc', group: 'g' },
    { text: 'ddd', group: 'g' },
  );
  t.deepEqual([...queue.dropOldest(1, 5, settle)].sort(), [
    ['', 1],
    ['g', 4],
  ]);
  t.deepEqual(settled, [[5, OutcomeCode.slow]]);
  t.is(queue.bytesOf(1), 3);
  t.is(drain(queue), 'xxxownddd');
});

test('outbound queue: dropOldest down to nothing keeps nothing of the business', (t) => {
  const queue = queueOf({ text: 'a' }, { text: 'b' }, { text: 'x', businessId: 2 });
  t.deepEqual([...queue.dropOldest(1, 0, () => {})], [['', 2]]);
  t.is(drain(queue), 'x');
});

test('outbound queue: expire removes what has waited with a ticket, and tells how many wait on', (t) => {
  const { settled, settle } = settlements();
  const queue = queueOf(
    { text: 'a', ticket: 1, sinceMs: 10 },
    { text: 'b', sinceMs: 10 },
    { text: 'c', ticket: 3, sinceMs: 20 },
    { text: 'd', ticket: 4, sinceMs: 21 },
  );
  t.is(queue.expire(20, settle), 1);
  t.deepEqual(settled, [
    [1, OutcomeCode.slow],
    [3, OutcomeCode.slow],
  ]);
  t.is(drain(queue), 'bd');
});

test('outbound queue: abandon settles every ticket once', (t) => {
  const { settled, settle } = settlements();
  const queue = queueOf({ text: 'a', ticket: 1 }, { text: 'b' }, { text: 'c', ticket: 3 });
  queue.take(1);
  queue.abandon(OutcomeCode.closed, settle);
  t.deepEqual(settled, [[3, OutcomeCode.closed]]);
  t.true(queue.isEmpty);
});

test('outbound queue: whatever is pushed and taken leaves in order, and bytes are counted', (t) => {
  const step = fc.oneof(
    fc.record({ push: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ take: fc.integer({ min: 1, max: 100 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new OutboundQueue();
      let [pushed, taken] = ['', ''];
      for (const action of steps) {
        if ('push' in action) {
          const text = String.fromCharCode(97 + (pushed.length % 26)).repeat(action.push);
          pushed += text;
          queue.push({
            wire: Buffer.from(text),
            businessId: 1,
            group: '',
            messages: 1,
            ticket: 0,
            sinceMs: 0,
            options: NO_OPTIONS,
          });
        } else if (!queue.isEmpty) {
          taken += Buffer.from(queue.take(action.take).wire).toString();
        }
        if (queue.bytes !== pushed.length - taken.length || queue.bytesOf(1) !== queue.bytes) return false;
      }
      return pushed === taken + drain(queue);
    }),
  );
  t.pass();
});

test('outbound queue: what was taken is not held while more keeps coming', async (t) => {
  const queue = queueOf({ text: 'always one behind' });
  const taken: WeakRef<object>[] = [];
  for (let i = 0; i < 50; i++) {
    queue.push({
      wire: Buffer.alloc(64),
      businessId: 1,
      group: '',
      messages: 1,
      ticket: 0,
      sinceMs: 0,
      options: NO_OPTIONS,
    });
    taken.push(new WeakRef(queue.take(1).wire));
  }
  t.false(queue.isEmpty);
  // A weak reference holds on until the job that made it is over.
  await immediate();
  collectGarbage();
  const held = taken.filter((ref) => ref.deref() !== undefined).length;
  t.true(held <= 2, `${held} taken entries are held`);
});

const HIGH: DeliveryOptions = { flags: DeliveryFlag.high, dueMs: 0 };
const DROPPABLE: DeliveryOptions = { flags: DeliveryFlag.droppable, dueMs: 0 };

test('outbound queue: what is urgent stands in front, in its own order', (t) => {
  const queue = queueOf({ text: 'a' }, { text: 'B', options: HIGH }, { text: 'c' }, { text: 'D', options: HIGH });
  t.is(Buffer.from(queue.take(3).wire).toString(), 'BDa');
  queue.push({ wire: Buffer.from('E'), businessId: 1, group: '', messages: 1, ticket: 0, sinceMs: 0, options: HIGH });
  t.is(drain(queue), 'Ec');
});

test('outbound queue: an urgent multicast does not overtake its own group', (t) => {
  const queue = queueOf(
    { text: 'a' },
    { text: '1', group: 'g' },
    { text: 'b', group: 'other' },
    { text: '2', group: 'g', options: HIGH },
    { text: 'x', group: 'g', businessId: 2, options: HIGH },
    { text: '3', group: 'g', options: HIGH },
    { text: 'U', options: HIGH },
  );
  t.is(drain(queue), 'xUa123b');
});

test('outbound queue: dropOldest takes urgent entries last', (t) => {
  const queue = queueOf({ text: 'aa' }, { text: 'HH', options: HIGH }, { text: 'bb' }, { text: 'cc' });
  t.deepEqual([...queue.dropOldest(1, 4, () => {})], [['', 2]]);
  t.is(drain(queue), 'HHcc');
  const all = queueOf({ text: 'aa' }, { text: 'HH', options: HIGH });
  t.deepEqual([...all.dropOldest(1, 0, () => {})], [['', 2]]);
  t.true(all.isEmpty);
});

test('outbound queue: only droppable entries of the business are dropped as such', (t) => {
  const { settled, settle } = settlements();
  const queue = queueOf(
    { text: 'a', options: DROPPABLE, ticket: 1 },
    { text: 'x', businessId: 2, options: DROPPABLE },
    { text: 'b' },
    { text: 'c', group: 'g', options: DROPPABLE, messages: 4 },
    { text: 'd', options: DROPPABLE, ticket: 4 },
  );
  t.true(queue.hasDroppable);
  t.deepEqual([...queue.dropDroppable(1, 2, settle)].sort(), [
    ['', 1],
    ['g', 4],
  ]);
  t.deepEqual(settled, [[1, OutcomeCode.slow]]);
  t.true(queue.hasDroppable);
  t.is(drain(queue), 'xbd');
  t.false(queue.hasDroppable);
});

test('outbound queue: entries whose time is over are removed, and it knows when none has one', (t) => {
  const { settled, settle } = settlements();
  const removed: unknown[] = [];
  const queue = queueOf(
    { text: 'a', ticket: 1, options: { flags: 0, dueMs: 50 } },
    { text: 'b' },
    { text: 'c', group: 'g', messages: 3, options: { flags: DeliveryFlag.high, dueMs: 60 } },
    { text: 'd', ticket: 4, options: { flags: 0, dueMs: 80 } },
  );
  const expire = (nowMs: number) => queue.expireDue(nowMs, settle, (...gone) => removed.push(gone));
  expire(49);
  t.deepEqual(settled, []);
  expire(60);
  t.deepEqual(settled, [[1, OutcomeCode.expired]]);
  t.deepEqual(removed, [
    [1, 'g', 3],
    [1, '', 1],
  ]);
  t.true(queue.hasDue);
  expire(80);
  t.false(queue.hasDue);
  t.is(drain(queue), 'b');
});

test('outbound queue: whatever is pushed, taken and removed, counts and fronts stay right', (t) => {
  const step = fc.oneof(
    fc.record({
      flags: fc.integer({ min: 0, max: 3 }),
      dueMs: fc.constantFrom(0, 5, 9),
      group: fc.constantFrom('', 'g', 'h'),
    }),
    fc.record({ take: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ drop: fc.integer({ min: 0, max: 6 }), droppable: fc.boolean() }),
    fc.record({ expireAt: fc.constantFrom(5, 9) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new OutboundQueue();
      let left = 0;
      let serial = 0;
      const lastOf = new Map<string, number>();
      const taken: { serial: number; group: string }[] = [];
      const groups: string[] = [];
      for (const one of steps) {
        if ('flags' in one) {
          const wire = Buffer.from([serial]);
          groups[serial++] = one.group;
          const options = { flags: one.flags, dueMs: one.dueMs };
          queue.push({ wire, businessId: 1, group: one.group, messages: 1, ticket: 0, sinceMs: 0, options });
          left += 1;
        } else if ('take' in one) {
          if (queue.isEmpty) continue;
          const { wire } = queue.take(one.take);
          left -= wire.length;
          for (const byte of wire) taken.push({ serial: byte, group: groups[byte] as string });
        } else if ('drop' in one) {
          const dropped = one.droppable
            ? queue.dropDroppable(1, one.drop, () => {})
            : queue.dropOldest(1, one.drop, () => {});
          for (const count of dropped.values()) left -= count;
        } else {
          queue.expireDue(
            one.expireAt,
            () => {},
            (_business, _group, messages) => {
              left -= messages;
            },
          );
        }
        if (queue.bytes !== left || queue.bytesOf(1) !== left || queue.isEmpty !== (left === 0)) return false;
      }
      // Whatever went missing, members see growing offsets.
      for (const { serial: one, group } of taken) {
        if (group === '') continue;
        if ((lastOf.get(group) ?? -1) >= one) return false;
        lastOf.set(group, one);
      }
      return true;
    }),
  );
  t.pass();
});
