import test from 'ava';
import { MULTICAST_INDEX, OutcomeCode } from '../../actors/outcome-batch.js';
import { NO_DESTINATION, PendingPushes, UNKNOWN_AFTER_MS } from '../../actors/pending-pushes.js';

const { delivered, offline, overloaded, slow, unknown } = OutcomeCode;

async function codes(outcomes: Promise<{ code: OutcomeCode }[]>): Promise<OutcomeCode[]> {
  return (await outcomes).map(({ code }) => code);
}

test('pending pushes: outcomes stand where their targets stood', async (t) => {
  const pending = new PendingPushes();
  const { pushId, outcomes } = pending.begin([0, NO_DESTINATION, 1, 0], 0);
  t.is(pending.targets, 3);
  pending.settle({ pushId, index: 2, code: slow, members: 0 }, 1);
  pending.settle({ pushId, index: 3, code: delivered, members: 0 }, 0);
  pending.settle({ pushId, index: 0, code: delivered, members: 0 }, 0);
  t.deepEqual(await codes(outcomes), [delivered, offline, slow, delivered]);
  t.is(pending.targets, 0);
});

test('pending pushes: without any target there is nothing to wait for', async (t) => {
  const pending = new PendingPushes();
  t.deepEqual(await codes(pending.begin([NO_DESTINATION, NO_DESTINATION], 0).outcomes), [offline, offline]);
  t.deepEqual(await codes(pending.begin([], 0).outcomes), []);
  t.is(pending.targets, 0);
});

test('pending pushes: a second word, a stranger and an unknown push change nothing', async (t) => {
  const pending = new PendingPushes();
  const { pushId, outcomes } = pending.begin([0, 1], 0);
  pending.settle({ pushId, index: 0, code: delivered, members: 0 }, 1);
  pending.settle({ pushId, index: 7, code: delivered, members: 0 }, 1);
  pending.settle({ pushId: pushId + 1, index: 0, code: delivered, members: 0 }, 0);
  t.is(pending.targets, 2);
  pending.settle({ pushId, index: 0, code: slow, members: 0 }, 0);
  pending.settle({ pushId, index: 0, code: delivered, members: 0 }, 0);
  pending.settle({ pushId, index: 1, code: delivered, members: 0 }, 1);
  pending.settle({ pushId, index: 1, code: slow, members: 0 }, 1);
  t.deepEqual(await codes(outcomes), [slow, delivered]);
  t.is(pending.targets, 0);
});

test('pending pushes: whoever says nothing for two seconds is unknown', async (t) => {
  const pending = new PendingPushes();
  const early = pending.begin([0, 1], 0);
  const late = pending.begin([0], 500);
  pending.settle({ pushId: early.pushId, index: 1, code: delivered, members: 0 }, 1);
  pending.expire(UNKNOWN_AFTER_MS - 1);
  t.is(pending.targets, 2);
  pending.expire(UNKNOWN_AFTER_MS);
  t.deepEqual(await codes(early.outcomes), [unknown, delivered]);
  t.is(pending.targets, 1);
  pending.settle({ pushId: early.pushId, index: 0, code: delivered, members: 0 }, 0);
  t.is(pending.targets, 1);
  pending.expire(UNKNOWN_AFTER_MS + 500);
  t.deepEqual(await codes(late.outcomes), [unknown]);
});

test('pending pushes: what a gone worker did not answer is unknown, the rest goes on', async (t) => {
  const pending = new PendingPushes();
  const both = pending.begin([0, 1, 0], 0);
  const gone = pending.begin([0], 0);
  const other = pending.begin([1], 0);
  pending.settle({ pushId: both.pushId, index: 2, code: delivered, members: 0 }, 0);
  pending.gone(0);
  t.deepEqual(await codes(gone.outcomes), [unknown]);
  t.is(pending.targets, 2);
  pending.settle({ pushId: both.pushId, index: 1, code: delivered, members: 0 }, 1);
  pending.settle({ pushId: other.pushId, index: 0, code: delivered, members: 0 }, 1);
  t.deepEqual(await codes(both.outcomes), [unknown, delivered, delivered]);
  t.deepEqual(await codes(other.outcomes), [delivered]);
});

test('pending pushes: a multicast is answered by its workers, with members', async (t) => {
  const pending = new PendingPushes();
  const { pushId, outcomes } = pending.begin([3, 5], 0);
  pending.settle({ pushId, index: MULTICAST_INDEX, code: delivered, members: 40 }, 5);
  pending.settle({ pushId, index: MULTICAST_INDEX, code: delivered, members: 9 }, 4);
  pending.settle({ pushId, index: MULTICAST_INDEX, code: overloaded, members: 0 }, 3);
  t.deepEqual(await outcomes, [
    { code: overloaded, members: 0 },
    { code: delivered, members: 40 },
  ]);
});
