import test from 'ava';
import { HeartbeatTuner } from '../../../sdk/pulse/heartbeat-tuner.js';

const BOUNDS = { minMs: 30_000, maxMs: 180_000 };

/** Silences of the whole interval that the link lives through. */
function hold(tuner: HeartbeatTuner, times: number): number[] {
  return Array.from({ length: times }, () => {
    tuner.held(tuner.intervalMs);
    return tuner.intervalMs;
  });
}

test('tuner: after every three silences survived it takes a step, up to the bound', (t) => {
  const tuner = new HeartbeatTuner(BOUNDS, 60_000);
  t.deepEqual(hold(tuner, 6), [60_000, 60_000, 90_000, 90_000, 90_000, 135_000]);
  hold(tuner, 3);
  t.is(tuner.intervalMs, 180_000);
  hold(tuner, 500);
  t.is(tuner.intervalMs, 180_000);
});

test('tuner: begins within the bounds, and equal bounds leave nothing to find', (t) => {
  t.is(new HeartbeatTuner(BOUNDS, 10_000).intervalMs, 30_000);
  t.is(new HeartbeatTuner(BOUNDS, 900_000).intervalMs, 180_000);
  const fixed = new HeartbeatTuner({ minMs: 60_000, maxMs: 60_000 }, 60_000);
  hold(fixed, 10);
  fixed.lost(60_000);
  fixed.settle();
  t.is(fixed.intervalMs, 60_000);
});

test('tuner: a loss brings it back to what last held, and it stays there for long', (t) => {
  const tuner = new HeartbeatTuner(BOUNDS, 60_000);
  hold(tuner, 6);
  t.is(tuner.heldMs, 90_000);
  tuner.lost(135_000);
  t.is(tuner.intervalMs, 90_000, 'the next connection begins with it');
  tuner.settle();
  hold(tuner, 99);
  t.is(tuner.intervalMs, 90_000);
  hold(tuner, 1);
  t.is(tuner.intervalMs, 135_000, 'the network may be another by now');
});

test('tuner: where nothing held yet, a loss shortens by a step, never below the bound', (t) => {
  const tuner = new HeartbeatTuner(BOUNDS, 60_000);
  const intervals = [60_000, 40_000, 30_000].map((silenceMs) => {
    tuner.lost(silenceMs);
    tuner.settle();
    return tuner.intervalMs;
  });
  t.deepEqual(intervals, [40_000, 30_000, 30_000]);
});

test('tuner: an interval that held and holds no more is shortened too', (t) => {
  const tuner = new HeartbeatTuner(BOUNDS, 90_000);
  hold(tuner, 1);
  tuner.lost(90_000);
  t.is(tuner.intervalMs, 60_000);
});

test('tuner: only a silence of about the interval proves something', (t) => {
  const tuner = new HeartbeatTuner(BOUNDS, 60_000);
  for (let i = 0; i < 10; i += 1) tuner.held(40_000);
  t.is(tuner.intervalMs, 60_000, 'a busy link');
  tuner.lost(20_000);
  t.is(tuner.intervalMs, 60_000, 'a probe');
  tuner.lost(8 * 3_600_000);
  t.is(tuner.intervalMs, 60_000, 'a night in a drawer');
  tuner.held(8 * 3_600_000);
  tuner.held(59_000);
  tuner.held(59_000);
  t.is(tuner.intervalMs, 90_000, 'the answer took a second');
});

test('tuner: a loss is taken back when the network was away, and not once the client was online again', (t) => {
  const tuner = new HeartbeatTuner(BOUNDS, 60_000);
  hold(tuner, 3);
  tuner.lost(90_000);
  t.is(tuner.intervalMs, 60_000);
  tuner.excuse();
  t.is(tuner.intervalMs, 90_000);
  t.false(tuner.settle());
  tuner.lost(90_000);
  t.true(tuner.settle());
  tuner.excuse();
  t.is(tuner.intervalMs, 60_000);
});
