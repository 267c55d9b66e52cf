import test from 'ava';
import { Histogram } from '../../../scripts/bench/load/histogram.js';

test('histogram: quantiles are at most 1.6 % below the recorded value', (t) => {
  const histogram = new Histogram();
  for (let value = 1; value <= 100_000; value++) histogram.record(value);
  for (const share of [0.5, 0.9, 0.99]) {
    const quantile = histogram.quantile(share);
    t.true(quantile <= share * 100_000 && quantile >= share * 100_000 * 0.984, `${share}: ${quantile}`);
  }
  t.is(histogram.max, 100_000);
});

test('histogram: an empty one is 0, a negative value counts as 0, a huge one is kept', (t) => {
  const histogram = new Histogram();
  t.is(histogram.quantile(0.5), 0);
  histogram.record(-5);
  histogram.record(1e12);
  t.is(histogram.count, 2);
  t.is(histogram.quantile(0.5), 0);
  t.is(histogram.max, 0x7fff_ffff);
  histogram.clear();
  t.is(histogram.count, 0);
});
