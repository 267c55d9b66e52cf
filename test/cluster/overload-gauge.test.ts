import test from 'ava';
import {
  delayThresholds,
  HEAP_THRESHOLDS,
  memoryThresholds,
  OverloadGauge,
  SmoothedDelay,
} from '../../cluster/overload-gauge.js';

const LIMIT_MS = 500;
const TICK_MS = 50;

/** A thread whose loop is stalled by each of `stallsMs` in turn. @returns the level after each tick */
function levelsOf(stallsMs: readonly number[]): number[] {
  const delay = new SmoothedDelay();
  const gauge = new OverloadGauge(delayThresholds(LIMIT_MS));
  return stallsMs.map((stallMs) => gauge.measure(delay.tick(stallMs, stallMs + TICK_MS, LIMIT_MS)));
}

function many(stallMs: number, count: number): number[] {
  return Array.from({ length: count }, () => stallMs);
}

for (const pauseMs of [501, 1_000, 5_000, 3_600_000]) {
  test(`overload: a single pause of ${pauseMs} ms changes nothing`, (t) => {
    const levels = levelsOf([...many(0, 100), pauseMs, ...many(0, 100)]);
    t.true(levels.every((level) => level === 0));
  });
}

test('overload: pauses that are seconds apart change nothing', (t) => {
  const round = [5_000, ...many(1, 60)];
  t.true(levelsOf([...round, ...round, ...round, ...round]).every((level) => level === 0));
});

test('overload: a loop late by more than the limit again and again is at level 1 within seconds', (t) => {
  const levels = levelsOf(many(600, 30));
  const ticks = levels.indexOf(1);
  t.true(ticks > 1 && (ticks * 650) / 1_000 < 8, `after ${ticks} ticks`);
  t.true(levels.slice(ticks).every((level) => level === 1));
});

test('overload: short breaths between the stalls do not hide them', (t) => {
  const levels = levelsOf(Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 700 : 0)));
  t.is(levels.at(-1), 1);
});

test('overload: twice the limit is level 2', (t) => {
  t.is(levelsOf(many(1_300, 20)).at(-1), 2);
  t.is(levelsOf(many(900, 20)).at(-1), 1);
});

test('overload: the level falls step by step when the loop is punctual again', (t) => {
  const levels = levelsOf([...many(2_000, 10), ...many(0, 120)]);
  t.is(levels[9], 2);
  t.is(levels.at(-1), 0);
  const steps = levels.slice(9).filter((level, i, all) => level !== all[i - 1]);
  t.deepEqual(steps, [2, 1, 0]);
});

test('overload: a delay below the limit stays level 0', (t) => {
  t.true(levelsOf(many(400, 500)).every((level) => level === 0));
});

test('overload: a value on the edge does not flip the level', (t) => {
  const gauge = new OverloadGauge(memoryThresholds(1_000));
  const levels = [999, 1_000, 999, 960, 1_001, 951, 949, 999].map((value) => gauge.measure(value));
  t.deepEqual(levels, [0, 1, 1, 1, 1, 1, 0, 0]);
});

test('overload: memory an eighth above its limit is level 2', (t) => {
  const gauge = new OverloadGauge(memoryThresholds(800));
  const levels = [799, 800, 899, 900, 860, 854, 700].map((value) => gauge.measure(value));
  t.deepEqual(levels, [0, 1, 1, 2, 2, 1, 0]);
});

test('overload: a heap that is nearly full counts as its thread being overloaded', (t) => {
  const gauge = new OverloadGauge(HEAP_THRESHOLDS);
  t.deepEqual(
    [0.5, 0.8, 0.75, 0.9, 0.86, 0.84, 0.69].map((value) => gauge.measure(value)),
    [0, 1, 1, 2, 2, 1, 0],
  );
});

test('overload: new thresholds count from the next measurement on', (t) => {
  const gauge = new OverloadGauge(memoryThresholds(1_000));
  t.is(gauge.measure(1_000), 1);
  gauge.configure(memoryThresholds(2_000));
  t.is(gauge.level, 1);
  t.is(gauge.measure(1_000), 0);
});
