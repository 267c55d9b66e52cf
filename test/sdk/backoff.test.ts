import test from 'ava';
import { backoffMs, RetryPolicy } from '../../sdk/backoff.js';

const RETRY = { minMs: 100, maxMs: 1_000 };

test('back-off: the ceiling doubles from minMs to maxMs and no further', (t) => {
  const almostOne = 0.999_999;
  t.deepEqual(
    [0, 1, 2, 3, 4, 5, 1_000].map((attempt) => backoffMs(attempt, RETRY, almostOne)),
    [99, 199, 399, 799, 999, 999, 999],
  );
});

test('back-off: jitter is full, from nothing to the ceiling', (t) => {
  t.deepEqual(
    [0, 0.25, 0.5].map((random) => backoffMs(2, RETRY, random)),
    [0, 100, 200],
  );
});

test('retry policy: failures in a row count up', (t) => {
  const policy = new RetryPolicy();
  t.deepEqual(
    [0, 0, 0].map((nowMs) => policy.nextDelayMs(RETRY, 0.5, nowMs)),
    [50, 100, 200],
  );
});

test('retry policy: a login that does not hold leaves the row going, one that holds ends it', (t) => {
  const policy = new RetryPolicy();
  policy.nextDelayMs(RETRY, 0.5, 0);
  policy.online(1_000);
  t.is(policy.nextDelayMs(RETRY, 0.5, 10_999), 100, 'thrown out before ten seconds');
  policy.online(20_000);
  t.is(policy.nextDelayMs(RETRY, 0.5, 30_000), 50, 'held for ten seconds');
});

test('retry policy: a link that ended without a word is waited for four times as long, and longer after that', (t) => {
  const policy = new RetryPolicy();
  policy.online(0);
  t.deepEqual([policy.nextDelayMs(RETRY, 0.5, 20_000, true), policy.nextDelayMs(RETRY, 0.5, 20_000)], [200, 400]);
});

test('retry policy: twelve attempts a minute; beyond, delays have the highest ceiling and hints do not count', (t) => {
  const policy = new RetryPolicy();
  for (let i = 0; i < 12; i++) {
    t.true(policy.hasBudget(i * 1_000));
    policy.attempted(i * 1_000);
  }
  t.false(policy.hasBudget(59_999));
  t.is(policy.nextDelayMs(RETRY, 0.5, 59_999), 500);
  t.true(policy.hasBudget(60_000), 'the first is a minute old');
  policy.attempted(60_000);
  t.false(policy.hasBudget(60_999));
});
