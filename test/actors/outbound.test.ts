import test from 'ava';
import type { Business } from '../../actors/business.js';
import { DeliveryFlag, NO_OPTIONS } from '../../actors/delivery-options.js';
import { DownstreamScheduler } from '../../actors/downstream-scheduler.js';
import { LoadMeter } from '../../actors/load-meter.js';
import { Outbound } from '../../actors/outbound.js';
import { OutcomeCode } from '../../actors/outcome-batch.js';
import { TicketDeadlines } from '../../actors/ticket-deadlines.js';
import { WorkerCounters } from '../../actors/worker-counters.js';
import { MemoryTransport } from '../../transports/index.js';
import { testBusiness } from '../support/test-business.js';
import { turns } from '../support/until.js';

const CONNACK = Buffer.from('<connack>');
const CLOSE = Buffer.from('<close>');

function writer({ isOpen = true } = {}) {
  let nowMs = 0;
  const transport = new MemoryTransport();
  const counters = new WorkerCounters();
  const settled: [number, OutcomeCode][] = [];
  let slow = 0;
  const outbound: Outbound = new Outbound(
    transport,
    {
      slowConsumer: () => {
        slow += 1;
        outbound.finish(CLOSE);
      },
      gapFrame: (businessId, group, dropped) => Buffer.from(`<gap ${businessId} ${group} ${dropped}>`),
    },
    {
      scheduler: new DownstreamScheduler(new LoadMeter(), () => nowMs),
      deadlines: new TicketDeadlines(() => nowMs),
      counters,
      settle: (ticket, code) => void settled.push([ticket, code]),
      now: () => nowMs,
    },
  );
  transport.handler = { onBytes() {}, onViolation() {}, onClose() {}, onDrain: () => outbound.drained() };
  if (isOpen) outbound.open(CONNACK);
  return {
    transport,
    outbound,
    counters,
    settled,
    slowCalls: () => slow,
    at: (ms: number) => {
      nowMs = ms;
    },
    /** One text a write, without the CONNACK. */
    written: () => transport.writes.map((wire) => Buffer.from(wire).toString()).filter((text) => text !== '<connack>'),
    push: (text: string, ticket = 0, business: Business = IM, options = NO_OPTIONS) =>
      outbound.send(Buffer.from(text), business, ticket, options),
    own: (text: string) => outbound.send(Buffer.from(text), undefined),
    share: (text: string, turn: number, business: Business = IM, roundMessages = 1, roundOptions = NO_OPTIONS) =>
      outbound.deliverShared(Buffer.from(text), { business, name: 'room', roundMessages, roundOptions }, turn),
  };
}

const IM = testBusiness();

test('outbound: frames of one turn leave in one write, in order', async (t) => {
  const { own, push, written, settled } = writer();
  own('a');
  push('b', 11);
  own('c');
  t.deepEqual(written(), []);
  await turns();
  t.deepEqual(written(), ['abc']);
  t.deepEqual(settled, [[11, OutcomeCode.delivered]]);
});

test('outbound: nothing leaves before CONNACK, and then in order behind it', async (t) => {
  const { outbound, push, share, transport } = writer({ isOpen: false });
  push('unicast ');
  share('multicast', 1);
  await turns();
  t.deepEqual(transport.writes, []);
  outbound.open(CONNACK);
  await turns();
  t.is(Buffer.concat(transport.writes).toString(), '<connack>unicast multicast');
  t.is(transport.writes.length, 2);
});

test('outbound: shared bytes go straight to the link, once a turn', async (t) => {
  const { share, transport, written, counters } = writer();
  const wire = Buffer.from('shared');
  share('first', 8);
  t.deepEqual(written(), ['first']);
  share('second', 8);
  share('third', 9);
  t.deepEqual(written(), ['first'], 'the third must not overtake the second');
  await turns();
  t.deepEqual(written(), ['first', 'secondthird']);
  t.true(transport.writes.every((one) => one !== wire));
  t.is(counters.bytesOut, CONNACK.length + 'firstsecondthird'.length);
});

test('outbound: the very bytes of the group are written, not a copy', (t) => {
  const { outbound, transport } = writer();
  const wire = Buffer.from('shared by all');
  outbound.deliverShared(wire, { business: IM, name: 'room', roundMessages: 1, roundOptions: NO_OPTIONS }, 1);
  t.is(transport.writes.at(-1), wire);
});

test('outbound: while the kernel takes nothing everything waits, and leaves when it does', async (t) => {
  const { transport, push, share, own, written, settled } = writer();
  transport.takesWrites = false;
  push('a', 1);
  await turns();
  push('b', 2);
  share('c', 1);
  own('d');
  await turns();
  t.deepEqual(written(), ['a']);
  t.deepEqual(settled, [], 'not taken, so not delivered');
  transport.take();
  t.deepEqual(settled, [[1, OutcomeCode.delivered]]);
  await turns();
  t.deepEqual(written(), ['a', 'bcd']);
  t.deepEqual(settled.at(-1), [2, OutcomeCode.delivered]);
});

test('outbound: a large queue leaves in several writes of bounded size', async (t) => {
  const { push, written, transport } = writer();
  const business = testBusiness({ maxQueueBytes: 10_000_000 });
  const frame = 'x'.repeat(20_000);
  for (let i = 0; i < 10; i++) push(frame, 0, business);
  await turns();
  t.is(written().join('').length, 200_000);
  t.true(transport.writes.every(({ length }) => length <= 64 * 1024));
});

test('outbound: a push the kernel does not take within a second is slow, or unknown once written', async (t) => {
  const { transport, outbound, push, own, settled, written, at } = writer();
  transport.takesWrites = false;
  push('written', 1);
  await turns();
  at(500);
  push('queued', 2);
  own('own');
  t.true(outbound.expireTickets(999));
  t.deepEqual(settled, []);
  t.true(outbound.expireTickets(1_000));
  t.deepEqual(settled, [[1, OutcomeCode.unknown]]);
  t.false(outbound.expireTickets(1_500));
  t.deepEqual(settled, [
    [1, OutcomeCode.unknown],
    [2, OutcomeCode.slow],
  ]);
  transport.take();
  await turns();
  t.deepEqual(written(), ['written', 'own'], 'what was reported as dropped does not leave later');
  t.is(settled.length, 2);
});

test('outbound: a push that waits behind CONNACK for a second is slow as well', (t) => {
  const { outbound, push, settled } = writer({ isOpen: false });
  push('early', 1);
  t.true(outbound.expireTickets(999));
  t.false(outbound.expireTickets(1_000));
  t.deepEqual(settled, [[1, OutcomeCode.slow]]);
});

test('outbound: the end of the link settles what waits: closed in the queue, unknown when written', async (t) => {
  const { transport, outbound, push, settled } = writer();
  transport.takesWrites = false;
  push('written', 1);
  await turns();
  push('queued', 2);
  outbound.abandon();
  push('after', 3);
  t.deepEqual(settled, [
    [1, OutcomeCode.unknown],
    [2, OutcomeCode.closed],
    [3, OutcomeCode.closed],
  ]);
});

test('outbound: policy disconnect closes whoever lets its queue run full', async (t) => {
  const { transport, push, settled, slowCalls, written } = writer();
  transport.takesWrites = false;
  push('x'.repeat(600), 1);
  await turns();
  push('y'.repeat(900), 2);
  push('z'.repeat(101), 3);
  t.is(slowCalls(), 1);
  t.deepEqual(settled, [
    [1, OutcomeCode.unknown],
    [2, OutcomeCode.closed],
    [3, OutcomeCode.closed],
  ]);
  t.is(written().at(-1), '<close>');
});

test('outbound: policy drop-oldest makes room, and tells of it before the rest', async (t) => {
  const { transport, push, share, own, settled, slowCalls, written, counters } = writer();
  const live = testBusiness({ slowConsumer: 'drop-oldest' });
  transport.takesWrites = false;
  own('first');
  await turns();
  share('a'.repeat(400), 1, live, 5);
  push('b'.repeat(400), 2, live);
  own('own');
  push('c'.repeat(400), 3, live);
  push('d'.repeat(400), 4, live);
  t.deepEqual(settled, [[2, OutcomeCode.slow]]);
  t.is(slowCalls(), 0);
  t.is(counters.dropped, 6);
  transport.take();
  await turns();
  t.is(written()[1], `<gap 7 room 5><gap 7  1>own${'c'.repeat(400)}${'d'.repeat(400)}`);
  t.deepEqual(settled.slice(1), [
    [3, OutcomeCode.delivered],
    [4, OutcomeCode.delivered],
  ]);
});

test('outbound: policy latest-only keeps the newest alone', async (t) => {
  const { transport, share, own, written } = writer();
  const live = testBusiness({ slowConsumer: 'latest-only' });
  transport.takesWrites = false;
  own('first');
  await turns();
  for (const letter of 'abcd') share(letter.repeat(400), 1, live);
  transport.take();
  await turns();
  t.is(written()[1], `<gap 7 room 2>${'c'.repeat(400)}${'d'.repeat(400)}`);
});

test('outbound: one business that lets its queue run full does not cost another its pushes', async (t) => {
  const { transport, push, share, own, written } = writer();
  const live = testBusiness({ slowConsumer: 'drop-oldest' });
  const im = testBusiness({ id: 8 });
  transport.takesWrites = false;
  own('first');
  await turns();
  push('i'.repeat(900), 0, im);
  for (const letter of 'abc') share(letter.repeat(400), 1, live);
  transport.take();
  await turns();
  t.is(written()[1], `<gap 7 room 1>${'i'.repeat(900)}${'b'.repeat(400)}${'c'.repeat(400)}`);
});

test('outbound: a gap is told before the next push even when the rest of the queue has expired', async (t) => {
  const { transport, outbound, push, share, own, written } = writer();
  const live = testBusiness({ slowConsumer: 'drop-oldest' });
  transport.takesWrites = false;
  own('first');
  await turns();
  for (let ticket = 1; ticket <= 3; ticket++) push('x'.repeat(400), ticket, live);
  t.false(outbound.expireTickets(1_000));
  transport.take();
  share('next', 1, live);
  await turns();
  t.is(written().slice(1).join(''), '<gap 7  1>next');
});

test('outbound: own frames of a peer that reads nothing are bounded too', async (t) => {
  const { transport, own, slowCalls } = writer();
  transport.takesWrites = false;
  own('first');
  await turns();
  const response = 'r'.repeat(1024 * 1024);
  for (let i = 0; i < 4; i++) own(response);
  t.is(slowCalls(), 0);
  own('one more');
  t.is(slowCalls(), 1);
});

test('outbound: finish writes what waits and the close behind it, then nothing more', async (t) => {
  const { outbound, push, own, share, written, settled } = writer();
  push('a', 1);
  own('b');
  outbound.finish(CLOSE);
  t.deepEqual(written(), ['ab', '<close>']);
  t.deepEqual(settled, [[1, OutcomeCode.delivered]]);
  own('c');
  push('d', 2);
  outbound.finish(CLOSE);
  await turns();
  t.deepEqual(written(), ['ab', '<close>']);
  t.deepEqual(settled.at(-1), [2, OutcomeCode.closed]);
  t.notThrows(() => share);
});

test('outbound: finish does not wait for a kernel that takes nothing', async (t) => {
  const { transport, outbound, push, written, settled } = writer();
  transport.takesWrites = false;
  push('a', 1);
  await turns();
  push('b', 2);
  outbound.finish(CLOSE);
  t.deepEqual(written(), ['a', '<close>']);
  t.deepEqual(settled, [
    [1, OutcomeCode.unknown],
    [2, OutcomeCode.closed],
  ]);
});

test('outbound: finish counts as delivered what was taken although nobody has said so yet', async (t) => {
  const { transport, outbound, push, settled } = writer();
  transport.takesWrites = false;
  push('a', 1);
  await turns();
  push('b', 2);
  transport.writableBytes = 0;
  transport.takesWrites = true;
  outbound.finish(CLOSE);
  t.deepEqual(settled, [
    [1, OutcomeCode.delivered],
    [2, OutcomeCode.delivered],
  ]);
});

test('outbound: finish before CONNACK sends the close alone', (t) => {
  const { outbound, push, transport, settled } = writer({ isOpen: false });
  push('held', 1);
  outbound.finish(CLOSE);
  t.deepEqual(transport.writes, [CLOSE]);
  t.deepEqual(settled, [[1, OutcomeCode.closed]]);
});

test('outbound: is idle when nothing waits, here or in the kernel', async (t) => {
  const { transport, outbound, own } = writer();
  t.true(outbound.isIdle);
  own('a');
  t.false(outbound.isIdle);
  transport.takesWrites = false;
  await turns();
  t.false(outbound.isIdle);
  transport.take();
  t.true(outbound.isIdle);
});

const DROPPABLE = { flags: DeliveryFlag.droppable, dueMs: 0 };
const HIGH = { flags: DeliveryFlag.high, dueMs: 0 };
const dueAt = (dueMs: number) => ({ flags: 0, dueMs });

test('outbound: what expires while the kernel takes nothing is told, by the timer or when the rest is written', async (t) => {
  const { transport, outbound, push, share, own, settled, counters, written, at } = writer();
  transport.takesWrites = false;
  own('first');
  await turns();
  push('a', 1, IM, dueAt(50));
  push('b', 2, IM, dueAt(300));
  share('c', 1, IM, 4, dueAt(60));
  at(100);
  t.true(outbound.expireTickets(100));
  t.deepEqual(settled, [[1, OutcomeCode.expired]]);
  t.is(counters.expired, 5);
  push('d', 3);
  at(310);
  transport.take();
  await turns();
  t.deepEqual(settled.slice(1), [
    [2, OutcomeCode.expired],
    [3, OutcomeCode.delivered],
  ]);
  t.is(written()[1], '<gap 7  2><gap 7 room 4>d');
});

test('outbound: when everything has expired at its turn the gap is told alone', async (t) => {
  const { transport, push, own, settled, written, at } = writer();
  transport.takesWrites = false;
  own('first');
  await turns();
  push('a', 1, IM, dueAt(50));
  at(60);
  transport.take();
  await turns();
  t.deepEqual(settled, [[1, OutcomeCode.expired]]);
  t.deepEqual(written(), ['first', '<gap 7  1>']);
});

test('outbound: a multicast alone with a time to live is looked after by the timer', async (t) => {
  const { transport, outbound, share, own } = writer();
  transport.takesWrites = false;
  own('first');
  await turns();
  share('c', 1, IM, 1, dueAt(50));
  t.true(outbound.expireTickets(49));
  t.false(outbound.expireTickets(50));
  transport.take();
  await turns();
  t.true(outbound.isIdle);
});

test('outbound: urgent pushes leave before what waits already', async (t) => {
  const { transport, push, share, own, written, settled } = writer();
  transport.takesWrites = false;
  own('first');
  await turns();
  push('a', 1);
  share('b', 1);
  push('C', 3, IM, HIGH);
  own('d');
  transport.take();
  await turns();
  t.is(written()[1], 'Cabd');
  t.is(settled.length, 2);
});

test('outbound: droppable pushes go first above half of the limit, the oldest before the newest', async (t) => {
  const { transport, push, own, written, settled, counters, slowCalls } = writer();
  const live = testBusiness({ slowConsumer: 'disconnect' });
  transport.takesWrites = false;
  own('first');
  await turns();
  push('a'.repeat(200), 1, live, DROPPABLE);
  push('b'.repeat(200), 2, live, DROPPABLE);
  t.deepEqual(settled, []);
  push('c'.repeat(200), 3, live, DROPPABLE);
  t.deepEqual(settled, [[1, OutcomeCode.slow]]);
  push('d'.repeat(400), 4, live);
  t.deepEqual(settled.slice(1), [
    [2, OutcomeCode.slow],
    [3, OutcomeCode.slow],
  ]);
  push('e'.repeat(200), 5, live, DROPPABLE);
  t.deepEqual(settled.at(-1), [5, OutcomeCode.slow], 'no room that is not needed by others');
  push('f'.repeat(500), 6, live);
  t.is(counters.dropped, 4);
  t.is(slowCalls(), 0, 'the policy is for the limit itself');
  transport.take();
  await turns();
  t.is(written()[1], `<gap 7  4>${'d'.repeat(400)}${'f'.repeat(500)}`);
});

test('outbound: a droppable push that is refused while nothing else waits leaves its gap and nothing else', async (t) => {
  const { transport, push, own, written, settled } = writer();
  transport.takesWrites = false;
  own('first');
  await turns();
  push('a'.repeat(400), 1, IM, DROPPABLE);
  push('b'.repeat(600), 2, IM, DROPPABLE);
  t.deepEqual(settled, [
    [1, OutcomeCode.slow],
    [2, OutcomeCode.slow],
  ]);
  transport.take();
  await turns();
  t.deepEqual(written(), ['first', '<gap 7  2>']);
});

test('outbound: has room for a question while the peer reads', async (t) => {
  const { transport, outbound, own } = writer();
  t.true(outbound.hasRoom(3 * 1024 * 1024));
  transport.takesWrites = false;
  own('first');
  await turns();
  own('r'.repeat(1024 * 1024));
  t.true(outbound.hasRoom(1024 * 1024));
  t.false(outbound.hasRoom(1024 * 1024 + 1));
});
