import test from 'ava';
import { CircuitBreaker, type Ticket } from '../../upstream/circuit-breaker.js';

const OPTIONS = { failures: 3, openMs: 1_000 };

function admitted(breaker: CircuitBreaker, nowMs: number): Ticket {
  const ticket = breaker.admit(nowMs);
  if (ticket === undefined) throw new Error('refused');
  return ticket;
}

function opened(atMs: number): CircuitBreaker {
  const breaker = new CircuitBreaker(OPTIONS);
  for (let i = 0; i < OPTIONS.failures; i++) breaker.failed(admitted(breaker, atMs), atMs);
  return breaker;
}

test('breaker: failures in a row open it, a success starts the count again', (t) => {
  const breaker = new CircuitBreaker(OPTIONS);
  for (const verdict of ['failed', 'failed', 'succeeded', 'failed', 'failed'] as const) {
    breaker[verdict](admitted(breaker, 0), 0);
    t.is(breaker.state, 'closed');
  }
  breaker.failed(admitted(breaker, 0), 0);
  t.is(breaker.state, 'open');
});

test('breaker: it refuses while open and says how long', (t) => {
  const breaker = opened(500);
  t.is(breaker.admit(500), undefined);
  t.is(breaker.retryAfterMs(500), 1_000);
  t.is(breaker.retryAfterMs(1_499.5), 1);
  t.false(breaker.isPassable(1_499));
  t.true(breaker.isPassable(1_500));
});

test('breaker: half-open lets one call try and its success closes it', (t) => {
  const breaker = opened(0);
  const probe = admitted(breaker, 1_000);
  t.is(breaker.state, 'half-open');
  t.is(breaker.admit(1_000), undefined);
  t.is(breaker.retryAfterMs(1_000), 1_000);
  breaker.succeeded(probe, 1_200);
  t.is(breaker.state, 'closed');
  t.not(breaker.admit(1_200), undefined);
});

test('breaker: a failed try opens it for the whole time again', (t) => {
  const breaker = opened(0);
  breaker.failed(admitted(breaker, 1_000), 1_500);
  t.is(breaker.state, 'open');
  t.false(breaker.isPassable(2_499));
  t.true(breaker.isPassable(2_500));
});

test('breaker: a try that says nothing lets the next call try at once', (t) => {
  const breaker = opened(0);
  breaker.abandoned(admitted(breaker, 1_000), 1_100);
  t.is(breaker.state, 'open');
  t.not(breaker.admit(1_100), undefined);
});

test('breaker: verdicts of calls from before it opened change nothing', (t) => {
  const breaker = new CircuitBreaker(OPTIONS);
  const old = admitted(breaker, 0);
  for (let i = 0; i < OPTIONS.failures; i++) breaker.failed(admitted(breaker, 0), 0);
  breaker.succeeded(old, 10);
  t.is(breaker.state, 'open');
  const probe = admitted(breaker, 1_000);
  breaker.failed(old, 1_000);
  breaker.abandoned(old, 1_000);
  t.is(breaker.state, 'half-open');
  breaker.succeeded(probe, 1_000);
  t.is(breaker.state, 'closed');
});
