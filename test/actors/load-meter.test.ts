import test from 'ava';
import { gatherWindowMs, LoadMeter } from '../../actors/load-meter.js';

test('load meter: nothing is gathered up to a tenth of load, the whole window from 40 % on', (t) => {
  t.deepEqual(
    [0, 0.1, 0.25, 0.4, 1].map((load) => gatherWindowMs(load, 10)),
    [0, 0, 5, 10, 10],
  );
});

test('load meter: the window grows with the load and never leaves its bounds', (t) => {
  let last = 0;
  for (let load = 0; load <= 1.5; load += 0.01) {
    const windowMs = gatherWindowMs(load, 10);
    t.true(windowMs >= last && windowMs <= 10);
    last = windowMs;
  }
  t.is(gatherWindowMs(1, 0), 0);
});

test('load meter: is a share, and keeps its value between two samples', (t) => {
  const meter = new LoadMeter();
  const load = meter.load(1_000);
  t.true(load >= 0 && load <= 1);
  for (const endMs = performance.now() + 5; performance.now() < endMs; );
  t.is(meter.load(1_049), load);
});

test('load meter: a thread that does nothing but work comes near to 1', (t) => {
  const meter = new LoadMeter();
  for (let at = 1_000; at <= 3_000; at += 50) {
    for (const endMs = performance.now() + 2; performance.now() < endMs; );
    meter.load(at);
  }
  t.true(meter.load(3_001) > 0.9);
});
