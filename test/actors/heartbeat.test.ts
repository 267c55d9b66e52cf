import test from 'ava';
import { announcedHeartbeatMs, Heartbeat } from '../../actors/heartbeat.js';

/** The server waits a quarter longer: 100 ms. */
const OPTIONS = { intervalMs: 80, minMs: 40, maxMs: 320, maxMissed: 2 };

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

test('heartbeat: a longer announced interval moves the first ping, and not how fast the dead are found after it', (t) => {
  const beat = new Heartbeat(0, 320);
  t.is(beat.intervalMs(OPTIONS), 320);
  t.deepEqual(
    [399, 400, 499, 500, 599, 600].map((at) => beat.tick(OPTIONS, at)),
    ['wait', 'ping', 'wait', 'ping', 'wait', 'stale'],
  );
});

test('heartbeat: a shorter announced interval is followed in every step', (t) => {
  const beat = new Heartbeat(0, 40);
  t.deepEqual(
    [49, 50, 100, 149, 150].map((at) => beat.tick(OPTIONS, at)),
    ['wait', 'ping', 'ping', 'wait', 'stale'],
  );
});

test('heartbeat: what is announced is put between the bounds, also when those change later', (t) => {
  t.is(new Heartbeat(0, 1).intervalMs(OPTIONS), 40);
  const beat = new Heartbeat(0, 999_999_999);
  t.is(beat.intervalMs(OPTIONS), 320);
  t.is(beat.intervalMs({ ...OPTIONS, maxMs: 100 }), 100);
  beat.announce(50);
  t.is(beat.intervalMs(OPTIONS), 50);
});

test('heartbeat: what is no interval announces none', (t) => {
  t.is(announcedHeartbeatMs({ 'heartbeat-ms': '120000' }), 120_000);
  for (const text of ['', '0', '-5', '1.5', '1e9', ' 60000', '0x10', '1234567890', 'NaN', '\u0661']) {
    t.is(announcedHeartbeatMs({ 'heartbeat-ms': text }), 0, text);
  }
  t.is(announcedHeartbeatMs({}), 0);
});
