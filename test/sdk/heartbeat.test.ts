import test from 'ava';
import { Heartbeat } from '../../sdk/heartbeat.js';

test('heartbeat: silence for an interval asks for a ping, another one makes the link stale', (t) => {
  const beat = new Heartbeat(100, 0);
  t.deepEqual(
    [0, 99, 100].map((at) => beat.tick(at)),
    ['wait', 'wait', 'ping'],
  );
  beat.pinged(100);
  t.deepEqual(
    [199, 200].map((at) => beat.tick(at)),
    ['wait', 'stale'],
  );
});

test('heartbeat: anything received after the ping proves life', (t) => {
  const beat = new Heartbeat(100, 0);
  beat.pinged(100);
  beat.received(150);
  t.is(beat.tick(199), 'wait');
  t.is(beat.tick(200), 'ping', 'nothing was sent for an interval');
});

test('heartbeat: a client that only sends still pings, so that it learns of a dead server', (t) => {
  const beat = new Heartbeat(100, 0);
  beat.sent(90);
  t.is(beat.tick(100), 'ping');
});

test('heartbeat: a timer that fires late pings first and condemns nobody', (t) => {
  t.is(new Heartbeat(100, 0).tick(10_000), 'ping');
});

test('heartbeat: a probe shortens the wait and a later ping does not lengthen it', (t) => {
  const beat = new Heartbeat(100, 0);
  beat.pinged(10, 20);
  beat.pinged(15);
  t.is(beat.dueInMs(15), 15);
  t.is(beat.tick(30), 'stale');
});

test('heartbeat: says how long nothing can change', (t) => {
  const beat = new Heartbeat(100, 0);
  beat.sent(40);
  beat.received(60);
  t.is(beat.dueInMs(60), 80);
  t.is(beat.dueInMs(500), 0);
});
