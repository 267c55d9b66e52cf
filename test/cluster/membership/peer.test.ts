/** What one node makes of another, view by view. */
import test from 'ava';
import { Peer, type Standing } from '../../../cluster/membership/index.js';
import { IllegalMembershipError, moveOwn, movePeer } from '../../../cluster/membership/states.js';
import { LEASE_MS, leaseOf } from './fixtures.js';

const STANDS: Standing = { sinceMs: 0, wasForgotten: false };
const CUT_OFF: Standing = { sinceMs: undefined, wasForgotten: false };

const peerAt = (nowMs: number) => new Peer(leaseOf('b', LEASE_MS), LEASE_MS, nowMs);
const to = (moves: readonly { to: string }[]) => moves.map((move) => move.to);

test('peer: a lapsed lease makes it suspect, one that stays lapsed for a lease makes it gone', (t) => {
  const peer = peerAt(0);
  t.deepEqual(peer.seen(leaseOf('b', 300), 700, STANDS), []);
  t.deepEqual(to(peer.seen(leaseOf('b', 0), 1_200, STANDS)), ['suspect']);
  t.is(peer.reason, 'its lease lapsed');
  t.is(peer.leftMs(1_200), 0);
  t.deepEqual(peer.seen(leaseOf('b', 0), 1_999, STANDS), []);
  // It lapsed at 1,000, when nobody looked.
  t.deepEqual(to(peer.seen(leaseOf('b', 0), 2_000, STANDS)), ['gone']);
  t.is(peer.sinceMs, 2_000);
});

test('peer: it is not gone while this node’s own lease did not stand', (t) => {
  const peer = peerAt(0);
  t.deepEqual(to(peer.seen(leaseOf('b', 0), 5_000, CUT_OFF)), ['suspect']);
  t.deepEqual(peer.seen(leaseOf('b', 0), 9_000, CUT_OFF), []);
  const backSince = { sinceMs: 9_500, wasForgotten: false };
  t.deepEqual(peer.seen(leaseOf('b', 0), 10_400, backSince), []);
  t.deepEqual(to(peer.seen(leaseOf('b', 0), 10_500, backSince)), ['gone']);
});

test('peer: a renewed lease brings it back, from suspect and from gone', (t) => {
  const peer = peerAt(0);
  peer.seen(leaseOf('b', 0), 1_000, STANDS);
  t.deepEqual(to(peer.seen(leaseOf('b', 900), 1_100, STANDS)), ['joined']);
  peer.seen(leaseOf('b', 0), 2_000, STANDS);
  t.is(peer.state, 'suspect');
  peer.seen(leaseOf('b', 0), 3_000, STANDS);
  t.is(peer.state, 'gone');
  t.deepEqual(to(peer.seen(leaseOf('b', 1_000), 3_100, STANDS)), ['joined']);
  t.is(peer.reason, 'registered again');
});

test('peer: one that a message did not find is suspect until its next renewal', (t) => {
  const peer = peerAt(0);
  t.deepEqual(to(peer.unreachable(100)), ['suspect']);
  t.deepEqual(peer.unreachable(110), []);
  t.false(peer.mayHave(0, 0, 120));
  // The same lease as before.
  t.deepEqual(peer.seen(leaseOf('b', 850), 150, STANDS), []);
  t.deepEqual(to(peer.seen(leaseOf('b', 990), 250, STANDS)), ['joined']);
  t.true(peer.mayHave(0, 0, 260));
});

test('peer: one that is no longer listed has left, or was swept', (t) => {
  const left = peerAt(0);
  t.deepEqual(to(left.missing(200, STANDS)), ['gone']);
  t.is(left.reason, 'left the service');
  t.deepEqual(left.missing(300, STANDS), []);
  const swept = peerAt(0);
  swept.seen(leaseOf('b', 0), 1_000, STANDS);
  swept.missing(1_200, STANDS);
  t.is(swept.reason, 'swept by another node');
});

test('peer: when the engine forgot everybody it has a lease’s time to register again', (t) => {
  const forgotten = { sinceMs: 0, wasForgotten: true };
  const peer = peerAt(0);
  t.deepEqual(to(peer.missing(200, forgotten)), ['suspect']);
  t.deepEqual(peer.missing(400, STANDS), []);
  const lost = peerAt(0);
  lost.missing(200, forgotten);
  t.deepEqual(to(peer.seen(leaseOf('b', 1_000), 500, STANDS)), ['joined']);
  t.deepEqual(to(lost.missing(1_200, STANDS)), ['gone']);
});

test('peer: connections of an older run of a worker are gone, those of a newer one may be there', (t) => {
  const peer = peerAt(0);
  t.true(peer.mayHave(1, 0, 10));
  t.true(peer.mayHave(1, 1, 10));
  peer.seen(leaseOf('b', 1_000, { workers: [0, 3] }), 20, STANDS);
  t.true(peer.mayHave(0, 0, 30));
  t.false(peer.mayHave(1, 2, 30));
  // Down: its last run is lost, the next one may have begun.
  peer.seen(leaseOf('b', 1_000, { workers: [0, -1] }), 40, STANDS);
  t.false(peer.mayHave(1, 3, 50));
  t.true(peer.mayHave(1, 4, 50));
  peer.seen(leaseOf('b', 1_000, { workers: [0, -1] }), 60, STANDS);
  t.true(peer.mayHave(1, 4, 70));
});

test('peer: between two views a lease is seen to lapse', (t) => {
  const peer = peerAt(0);
  t.true(peer.mayHave(0, 0, 999));
  t.false(peer.mayHave(0, 0, 1_000));
});

test('states: a move that the tables do not know is refused', (t) => {
  t.throws(() => movePeer('gone', 'suspect'), { instanceOf: IllegalMembershipError, code: 'TRK_ILLEGAL_STATE' });
  t.throws(() => moveOwn('withdrawn', 'registered'), { code: 'TRK_ILLEGAL_STATE' });
  t.is(moveOwn('cut off', 'sent away'), 'sent away');
});
