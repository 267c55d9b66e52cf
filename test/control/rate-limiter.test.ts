import test from 'ava';
import { RateLimiter } from '../../control/rate-limiter.js';

function limiterOf(maxKeys?: number) {
  const clock = { nowMs: 0 };
  return { clock, limiter: new RateLimiter({ maxKeys, now: () => clock.nowMs }) };
}

test('rate limiter: a minute at once, then evenly, and the wait is exact', (t) => {
  const { clock, limiter } = limiterOf();
  for (let i = 0; i < 60; i++) t.is(limiter.take('a', 60), 0);
  t.is(limiter.take('a', 60), 1_000);
  clock.nowMs += 999;
  t.true(limiter.take('a', 60) > 0);
  clock.nowMs += 1;
  t.is(limiter.take('a', 60), 0);
  t.true(limiter.take('a', 60) > 0);
  t.is(limiter.take('b', 60), 0);
});

test('rate limiter: a charge goes into debt, at most a minute of it', (t) => {
  const { clock, limiter } = limiterOf();
  t.is(limiter.take('a', 60), 0);
  limiter.charge('a', 60, 1_000);
  t.is(limiter.take('a', 60), 61_000);
  clock.nowMs += 61_000;
  t.is(limiter.take('a', 60), 0);
});

test('rate limiter: a limit that changes counts from the next time on', (t) => {
  const { limiter } = limiterOf();
  t.is(limiter.take('a', 100), 0);
  t.is(limiter.take('a', 1), 0);
  t.is(limiter.take('a', 1), 60_000);
});

test('rate limiter: who is left alone is forgotten, who is in debt is not', (t) => {
  const { clock, limiter } = limiterOf();
  for (let i = 0; i < 100; i++) limiter.take(`key-${i}`, 60);
  limiter.charge('guesser', 60, 200);
  clock.nowMs += 60_000;
  t.true(limiter.take('guesser', 60) > 0);
  clock.nowMs += 61_000;
  limiter.take('x', 60);
  clock.nowMs += 120_000;
  limiter.take('x', 60);
  t.true(limiter.size <= 2);
});

test('rate limiter: any number of keys takes a fixed amount of memory', (t) => {
  const { limiter } = limiterOf(100);
  for (let i = 0; i < 10_000; i++) limiter.take(`key-${i}`, 60);
  t.true(limiter.size <= 200);
});

test('rate limiter: a key that is busy survives a flood of others', (t) => {
  const { limiter } = limiterOf(100);
  for (let i = 0; i < 60; i++) limiter.take('busy', 60);
  for (let i = 0; i < 10_000; i++) {
    limiter.take(`key-${i}`, 60);
    if (i % 50 === 0) t.true(limiter.take('busy', 60) > 0);
  }
});
