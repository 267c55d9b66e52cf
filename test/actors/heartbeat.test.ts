import test from 'ava';
import { Heartbeat } from '../../actors/heartbeat.js';

const OPTIONS = { intervalMs: 100, maxMissed: 2 };

test('heartbeat: two unanswered pings make the peer stale', (t) => {
  const beat = new Heartbeat(0);
  t.deepEqual(
    [99, 100, 150, 200, 299, 300].map((at) => beat.tick(OPTIONS, at)),
    ['wait', 'ping', 'wait', 'ping', 'wait', 'stale'],
  );
});

test('heartbeat: any sign of life starts anew', (t) => {
  const beat = new Heartbeat(0);
  t.is(beat.tick(OPTIONS, 100), 'ping');
  t.is(beat.tick(OPTIONS, 200), 'ping');
  beat.seen(250);
  t.is(beat.tick(OPTIONS, 300), 'wait');
  t.is(beat.tick(OPTIONS, 350), 'ping');
});

test('heartbeat: says when to ask again, never sooner than in a millisecond', (t) => {
  const beat = new Heartbeat(0);
  t.is(beat.nextTickMs(OPTIONS, 30), 70);
  beat.tick(OPTIONS, 100);
  t.is(beat.nextTickMs(OPTIONS, 130), 70);
  t.is(beat.nextTickMs(OPTIONS, 5_000), 1);
});
