/** GOAWAY to one connection after the other. */
import test from 'ava';
import { PacedDrain, type PacedSession } from '../../cluster/paced-drain.js';

interface FakeSession extends PacedSession {
  isIdle: boolean;
  state: PacedSession['state'];
  readonly told: unknown[][];
}

function session(): FakeSession {
  const told: unknown[][] = [];
  return {
    state: 'online',
    isIdle: true,
    protocol: 'tcp',
    told,
    drain(...args) {
      this.state = 'draining';
      told.push(args);
    },
  };
}

const target = { name: 'b', accessPoints: { tcp: 'b:7100' }, load: 0, connections: 0, connectionLimit: 10 };
const pacing = { windowMs: 1_000, reconnectMs: 500, targets: [target], reason: 1, workers: 1, nowMs: 0 };
const toldIn = (sessions: readonly FakeSession[]) => sessions.filter(({ told }) => told.length > 0).length;

test('paced drain: connections are told evenly over the window, each where to go and within what time', (t) => {
  const sessions = Array.from({ length: 100 }, session);
  const drain = new PacedDrain({ ...pacing, sessions });
  const counts = [0, 250, 500, 999].map((nowMs) => {
    t.false(drain.tick(nowMs));
    return toldIn(sessions);
  });
  t.deepEqual(counts, [0, 25, 50, 99]);
  t.true(drain.tick(1_000));
  t.is(toldIn(sessions), 100);
  t.deepEqual(sessions[0]?.told, [[1, 500, 'b:7100']]);
});

test('paced drain: a busy connection is told when it is idle, at the latest at the end of the window', (t) => {
  const [idle, busy, endless] = [session(), session(), session()];
  busy.isIdle = false;
  endless.isIdle = false;
  const drain = new PacedDrain({ ...pacing, sessions: [busy, endless, idle] });
  drain.tick(900);
  t.is(toldIn([busy, endless]), 0);
  busy.isIdle = true;
  drain.tick(910);
  t.is(toldIn([busy]), 1);
  t.true(drain.tick(1_000));
  t.is(toldIn([idle, busy, endless]), 3);
});

test('paced drain: one that has gone meanwhile is told nothing', (t) => {
  const gone = session();
  gone.state = 'closed';
  t.true(new PacedDrain({ ...pacing, windowMs: 0, sessions: [gone] }).tick(0));
  t.deepEqual(gone.told, []);
});
