/** One name, one node: what a node does that finds its name in use. */
import test from 'ava';
import { claimName, NodeNameTakenError, refuseNamesake } from '../../../cluster/membership/index.js';
import { FakeClock, LEASE_MS, leaseOf, membershipOn, recordOf } from './fixtures.js';

function claim(clock: FakeClock, membership: ReturnType<typeof membershipOn>, whileAsleep = async () => {}) {
  const taken: string[] = [];
  const waited: string[] = [];
  const claimed = claimName({
    membership,
    name: 'a',
    incarnation: 'mine',
    leaseMs: LEASE_MS,
    now: clock.now,
    sleep: async (ms) => {
      clock.advance(ms);
      await whileAsleep();
    },
    takeOver: async ({ incarnation }) => taken.push(incarnation),
    onWait: ({ incarnation }) => waited.push(incarnation),
  });
  return { claimed, taken, waited };
}

test('name: one that nobody has is taken at once', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  await membership.renew(recordOf('b'), LEASE_MS);
  await claim(clock, membership).claimed;
  t.is(clock.ms, 0);
});

test('name: a crashed run’s lease is waited for, then what it left is taken over', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  await membership.renew(recordOf('a'), LEASE_MS);
  clock.advance(300);
  const { claimed, taken, waited } = claim(clock, membership);
  await claimed;
  t.deepEqual(taken, ['incarnation-of-a']);
  t.deepEqual(waited, ['incarnation-of-a']);
  t.true(clock.ms <= LEASE_MS * 1.4, `${clock.ms} ms`);
});

test('name: one whose lease is renewed is refused, and the error says what to do', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  await membership.renew(recordOf('a'), LEASE_MS);
  const { claimed, taken } = claim(clock, membership, async () => {
    await membership.renew(recordOf('a'), LEASE_MS);
  });
  const error = await t.throwsAsync(claimed, { instanceOf: NodeNameTakenError, code: 'TRK_NODE_NAME_TAKEN' });
  t.regex(error?.message ?? '', /called "a" \(incarnation incarnation-of-a, at a:7100 and a:7101\)\. Give each node/);
  t.deepEqual(taken, []);
});

test('name: one that leaves while it is watched leaves nothing to take over', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  await membership.renew(recordOf('a'), LEASE_MS);
  const { claimed, taken } = claim(clock, membership, () => membership.withdraw('incarnation-of-a'));
  await claimed;
  t.deepEqual(taken, []);
});

test('name: of two that start at the same moment the second to register gives way', (t) => {
  const own = recordOf('a', { incarnation: 'mine' });
  t.notThrows(() => refuseNamesake([{ record: own, leftMs: LEASE_MS }, leaseOf('b', LEASE_MS), leaseOf('a', 0)], own));
  t.throws(() => refuseNamesake([leaseOf('a', LEASE_MS)], own), { code: 'TRK_NODE_NAME_TAKEN' });
});
