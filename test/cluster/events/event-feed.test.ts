import test, { type ExecutionContext } from 'ava';
import { EventFeed, type FeedLimits } from '../../../cluster/events/event-feed.js';
import type { ConnectionEvent } from '../../../upstream/index.js';
import { until } from '../../support/until.js';
import { eventOf, HeldSender, nameOf } from './fixtures.js';

interface FeedOptions {
  readonly concurrency?: number;
  readonly failures?: number;
  readonly openMs?: number;
  readonly limits?: Partial<FeedLimits>;
  readonly now?: () => number;
}

function startFeed(t: ExecutionContext, options: FeedOptions = {}) {
  const { concurrency = 4, failures = 1_000, openMs = 20, limits = {}, now } = options;
  const sender = new HeldSender();
  const settled: string[] = [];
  const feed = new EventFeed({
    target: { sender, concurrency, breaker: { failures, openMs } },
    onSettled: (event: ConnectionEvent, outcome) => settled.push(`${nameOf(event)} ${outcome}`),
    limits: { minBackoffMs: 1, maxBackoffMs: 2, ...limits },
    now,
  });
  t.teardown(() => feed.stop());
  return { feed, sender, settled };
}

const FAILED = { result: 'failed', retryAfterMs: 0 } as const;

test('event feed: several at once, one of each device', async (t) => {
  const { feed, sender, settled } = startFeed(t, { concurrency: 2 });
  feed.add(eventOf('a', 1));
  feed.add(eventOf('a', 1, { type: 'disconnected' }));
  feed.add(eventOf('b', 1));
  feed.add(eventOf('c', 1));
  t.deepEqual(sender.names, ['a1+', 'b1+']);
  t.is(feed.pending, 4);
  await sender.answer(0);
  t.deepEqual(sender.names, ['a1+', 'b1+', 'c1+']);
  await sender.answer(1, { result: 'refused' });
  t.deepEqual(sender.names, ['a1+', 'b1+', 'c1+', 'a1-']);
  await sender.answer(2);
  await sender.answer(3);
  t.deepEqual(settled, ['a1+ delivered', 'b1+ refused', 'c1+ delivered', 'a1- delivered']);
  t.is(feed.pending, 0);
});

test('event feed: a failed event is tried again before the next of its device', async (t) => {
  const { feed, sender, settled } = startFeed(t);
  feed.add(eventOf('a', 1));
  feed.add(eventOf('a', 1, { type: 'disconnected' }));
  await sender.answer(0, FAILED);
  await until(() => sender.sent.length === 2);
  await sender.answer(1, FAILED);
  await until(() => sender.sent.length === 3);
  await sender.answer(2);
  await sender.answer(3);
  t.deepEqual(sender.names, ['a1+', 'a1+', 'a1+', 'a1-']);
  t.deepEqual(settled, ['a1+ delivered', 'a1- delivered']);
});

test('event feed: an event that fails holds up no other device', async (t) => {
  const { feed, sender, settled } = startFeed(t, { concurrency: 1, limits: { minBackoffMs: 60_000 } });
  feed.add(eventOf('a', 1));
  feed.add(eventOf('b', 1));
  await sender.answer(0, FAILED);
  await sender.answer(1);
  t.deepEqual(settled, ['b1+ delivered']);
  t.is(feed.pending, 1);
});

test('event feed: attempts are bounded', async (t) => {
  const { feed, sender, settled } = startFeed(t, { limits: { maxAttempts: 3 } });
  sender.auto = FAILED;
  feed.add(eventOf('a', 1));
  await feed.idle();
  t.is(sender.sent.length, 3);
  t.deepEqual(settled, ['a1+ expired']);
});

test('event feed: so is the age, of what waits and of what would be tried again', async (t) => {
  let nowMs = 1_000_000;
  const { feed, sender, settled } = startFeed(t, { concurrency: 1, limits: { maxAgeMs: 100 }, now: () => nowMs });
  feed.add(eventOf('a', 1, { atMs: nowMs }));
  feed.add(eventOf('b', 1, { atMs: nowMs }));
  nowMs += 101;
  await sender.answer(0, FAILED);
  t.deepEqual(settled, ['a1+ expired', 'b1+ expired']);
  t.is(sender.sent.length, 1);
});

test('event feed: a full queue drops the oldest and counts it', (t) => {
  const { feed, settled } = startFeed(t, { concurrency: 1, limits: { maxWaiting: 2 } });
  for (const device of ['a', 'b', 'c', 'd']) feed.add(eventOf(device, 1));
  t.deepEqual(settled, ['b1+ dropped']);
  t.is(feed.pending, 3);
});

test('event feed: failures in a row open the breaker, then one event tries', async (t) => {
  const { feed, sender, settled } = startFeed(t, { concurrency: 2, failures: 2, openMs: 5 });
  feed.add(eventOf('a', 1));
  feed.add(eventOf('b', 1));
  sender.sent[0]?.answer(FAILED);
  await sender.answer(1, FAILED);
  for (const device of ['c', 'd']) feed.add(eventOf(device, 1));
  await until(() => sender.sent.length === 3);
  await new Promise((resolve) => setTimeout(resolve, 20));
  // The one that tries is alone, although two may be under way.
  t.is(sender.sent.length, 3);
  sender.auto = { result: 'delivered' };
  await sender.answer(2);
  await feed.idle();
  t.deepEqual(settled.sort(), ['a1+ delivered', 'b1+ delivered', 'c1+ delivered', 'd1+ delivered']);
});

test('event feed: Retry-After holds up everything to this back-end', async (t) => {
  let nowMs = 1_000_000;
  const { feed, sender } = startFeed(t, { concurrency: 1, now: () => nowMs });
  feed.add(eventOf('a', 1, { atMs: nowMs }));
  feed.add(eventOf('b', 1, { atMs: nowMs }));
  await sender.answer(0, { result: 'failed', retryAfterMs: 30 });
  t.is(sender.sent.length, 1);
  nowMs += 30;
  await until(() => sender.sent.length === 2);
  t.pass();
});

test('event feed: while very many wait for another attempt, no new event is begun', async (t) => {
  const { feed, sender } = startFeed(t, { limits: { maxBackingOff: 2, minBackoffMs: 60_000, maxBackoffMs: 60_000 } });
  sender.auto = FAILED;
  for (const device of ['a', 'b', 'c', 'd']) feed.add(eventOf(device, 1));
  await new Promise((resolve) => setImmediate(resolve));
  for (const device of ['e', 'f']) feed.add(eventOf(device, 1));
  await new Promise((resolve) => setImmediate(resolve));
  t.is(sender.sent.length, 4);
  t.is(feed.pending, 6);
});

test('event feed: another target takes over what waits', async (t) => {
  const { feed, sender, settled } = startFeed(t, { concurrency: 1 });
  feed.add(eventOf('a', 1));
  feed.add(eventOf('b', 1));
  const next = new HeldSender();
  next.auto = { result: 'delivered' };
  feed.retarget({ sender: next, concurrency: 1, breaker: { failures: 10, openMs: 10 } });
  t.true(sender.isDestroyed);
  await sender.answer(0, FAILED);
  await feed.idle();
  t.deepEqual(next.names.sort(), ['a1+', 'b1+']);
  t.is(settled.length, 2);
});

test('event feed: a stop loses what is left, each counted once, also what comes later', async (t) => {
  const { feed, sender, settled } = startFeed(t, { concurrency: 2, limits: { minBackoffMs: 60_000 } });
  for (const device of ['a', 'b', 'c']) feed.add(eventOf(device, 1));
  await sender.answer(0, FAILED);
  await feed.stop();
  t.true(sender.isDestroyed);
  await sender.answer(1, FAILED);
  await sender.answer(2, FAILED);
  feed.add(eventOf('d', 1));
  t.deepEqual(settled.sort(), ['a1+ lost', 'b1+ lost', 'c1+ lost', 'd1+ lost']);
});
