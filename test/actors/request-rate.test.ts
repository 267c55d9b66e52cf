import test from 'ava';
import { RequestRate } from '../../actors/request-rate.js';

function judge(rate: RequestRate, perSecond: number, count: number, nowMs: number) {
  const verdicts = { serve: 0, refuse: 0, close: 0 };
  for (let i = 0; i < count; i++) verdicts[rate.judge(perSecond, nowMs)] += 1;
  return verdicts;
}

test('request rate: two seconds’ worth at once, then the rate', (t) => {
  const rate = new RequestRate(10, 0);
  t.deepEqual(judge(rate, 10, 25, 0), { serve: 20, refuse: 5, close: 0 });
  t.deepEqual(judge(rate, 10, 10, 500), { serve: 5, refuse: 5, close: 0 });
  t.deepEqual(judge(rate, 10, 30, 60_000), { serve: 20, refuse: 10, close: 0 }, 'a rest earns a burst and no more');
});

test('request rate: five times too fast is refused for ever and never closed', (t) => {
  const rate = new RequestRate(10, 0);
  for (let ms = 0; ms < 60_000; ms += 100) t.is(judge(rate, 10, 5, ms).close, 0);
});

test('request rate: more than ten times too fast closes after about a second', (t) => {
  const rate = new RequestRate(10, 0);
  let closedAtMs = 0;
  for (let ms = 0; ms < 60_000 && closedAtMs === 0; ms += 100) {
    if (judge(rate, 10, 30, ms).close > 0) closedAtMs = ms;
  }
  t.true(closedAtMs > 200 && closedAtMs < 2_000, String(closedAtMs));
});

test('request rate: a flood in one moment is closed after ten times the rate', (t) => {
  t.deepEqual(judge(new RequestRate(10, 0), 10, 121, 0), { serve: 20, refuse: 100, close: 1 });
});

test('request rate: a new rate counts from the next request on', (t) => {
  const rate = new RequestRate(10, 0);
  judge(rate, 10, 20, 0);
  t.deepEqual(judge(rate, 100, 60, 500), { serve: 50, refuse: 10, close: 0 });
});
