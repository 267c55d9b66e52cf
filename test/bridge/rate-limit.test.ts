import test from 'ava';
import { RateLimits } from '../../bridge/rate-limit.js';
import { KEYS, startBridge } from '../support/bridge.js';

function limits(rate: number) {
  let nowMs = 0;
  const limited = new RateLimits({ rateOf: (business) => (business === 'free' ? 0 : rate), now: () => nowMs });
  return {
    limited,
    after: (ms: number) => {
      nowMs += ms;
    },
  };
}

test('rate limit: a key has a burst of two seconds and fills up again', (t) => {
  const { limited, after } = limits(10);
  for (let left = 19; left >= 0; left--) t.is(limited.take('im', 'k'), left);
  t.is(limited.take('im', 'k'), -1);
  t.is(limited.retryAfterS('im', 'k'), 1);
  after(100);
  t.is(limited.take('im', 'k'), 0);
  t.is(limited.take('im', 'k'), -1);
  after(60_000);
  t.is(limited.take('im', 'k'), 19);
});

test('rate limit: each key has its own, and none where none is set', (t) => {
  const { limited } = limits(1);
  t.deepEqual([limited.take('im', 'a'), limited.take('im', 'a'), limited.take('im', 'a')], [1, 0, -1]);
  t.is(limited.take('im', 'b'), 1);
  for (let i = 0; i < 1_000; i++) t.is(limited.take('free', 'c'), undefined);
  t.is(limited.reserve('free', 'c', 1_000_000), 0);
});

test('rate limit: a stream is told how long to wait for what it takes', (t) => {
  const { limited, after } = limits(100);
  t.is(limited.reserve('im', 'k', 200), 0);
  t.is(limited.reserve('im', 'k', 50), 500);
  t.is(limited.take('im', 'k'), -1);
  after(500);
  t.is(limited.reserve('im', 'k', 10), 100);
});

test('rate limit: at the bridge one request too many is 429 and says when to come back', async (t) => {
  const { call, routing } = await startBridge(t, { requestsPerSecond: 2 });
  const send = (key: string) => call('POST', '/v1/apps/demo/devices/a/push', { key, body: { payload: 'x' } });
  const answers = [];
  for (let i = 0; i < 12; i++) answers.push(await send(KEYS.im));
  const [first, last] = [answers[0], answers.find(({ status }) => status === 429)];
  t.is(first?.headers['ratelimit-policy'], '"key";q=2;w=1');
  t.is(first?.headers['ratelimit'], '"key";r=3;t=1');
  t.is(last?.json.code, 'TRK_RATE_LIMITED');
  t.is(last?.headers['retry-after'], '1');
  t.is(last?.headers['ratelimit'], '"key";r=0;t=1');
  t.is(routing.pushed.length, answers.filter(({ status }) => status === 200).length);
  t.is((await send(KEYS.imNext)).status, 200, 'another key of the same business');
  const free = await send(KEYS.live);
  t.is(free.status, 200);
  t.is(free.headers['ratelimit'], undefined);
  t.is((await call('GET', '/healthz')).headers['ratelimit'], undefined);
});

test('rate limit: whoever has no key is refused before it counts', async (t) => {
  const { call } = await startBridge(t, { requestsPerSecond: 1 });
  for (let i = 0; i < 5; i++) {
    t.is((await call('GET', '/v1/groups', { key: 'nobody-has-this-key' })).status, 401);
  }
  t.is((await call('GET', '/v1/groups', { key: KEYS.im })).status, 200);
});
