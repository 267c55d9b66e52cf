/** Keeping a lease: against the embedded engine's membership, on a clock that the test moves. */
import test from 'ava';
import type { Membership } from '../../../cluster/engines/contract/index.js';
import { LeaseKeeper, OwnLease, type Renewal } from '../../../cluster/membership/index.js';
import { FakeClock, LEASE_MS, membershipOn, recordOf } from './fixtures.js';

function startKeeper(name: string, membership: Membership, clock: FakeClock) {
  const own = new OwnLease(LEASE_MS, clock.ms);
  const renewals: (Renewal | undefined)[] = [];
  const missed: boolean[] = [];
  const state = { connections: 0 };
  const keeper = new LeaseKeeper({
    membership,
    own,
    leaseMs: LEASE_MS,
    record: () => recordOf(name, state),
    now: clock.now,
    onView: (_view, _askedMs, renewal) => renewals.push(renewal),
    onMissed: (_error, isCutOff) => missed.push(isCutOff),
  });
  return { keeper, own, renewals, missed, state };
}

/** A membership that can be away, or do what it is told and not answer. */
function breakable(membership: Membership): Membership & { isAway: boolean; isMute: boolean } {
  return {
    isAway: false,
    isMute: false,
    async renew(record, leaseMs, hasHeard) {
      if (this.isAway) throw new Error('not there');
      const view = await membership.renew(record, leaseMs, hasHeard);
      if (this.isMute) throw new Error('no answer');
      return view;
    },
    async list() {
      if (this.isAway) throw new Error('not there');
      return membership.list();
    },
    withdraw: (incarnation) => membership.withdraw(incarnation),
    declareGone: (incarnation, retryMs) => membership.declareGone(incarnation, retryMs),
    onChange: (listener) => membership.onChange(listener),
    announceChange: () => membership.announceChange(),
  };
}

test('lease keeper: takes the lease, renews it with what the node says now', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  const { keeper, own, renewals, state } = startKeeper('a', membership, clock);
  await keeper.start();
  t.teardown(() => keeper.stop());
  t.is(own.state, 'registered');
  clock.advance(900);
  state.connections = 7;
  await keeper.beat();
  clock.advance(900);
  const [lease] = await membership.list();
  t.is(lease?.record.connections, 7);
  t.is(lease?.leftMs, 100);
  t.deepEqual(renewals.slice(0, 2), ['joined', 'renewed']);
  t.is(own.leftMs(clock.ms), 100);
});

test('lease keeper: one failure is nothing, two are being cut off, and the lease lapses by the node’s own clock', async (t) => {
  const clock = new FakeClock();
  const membership = breakable(membershipOn(clock));
  const { keeper, own, renewals, missed } = startKeeper('a', membership, clock);
  await keeper.start();
  t.teardown(() => keeper.stop());
  membership.isAway = true;
  await keeper.beat();
  t.is(own.state, 'registered');
  await keeper.beat();
  await keeper.beat();
  t.is(own.state, 'cut off');
  t.deepEqual(missed, [false, true, false]);
  t.is(keeper.failed, 3);
  t.true(own.leftMs(clock.ms) > 0);
  clock.advance(LEASE_MS);
  t.is(own.leftMs(clock.ms), 0);
  t.is(own.standsSinceMs(clock.ms), undefined);
  membership.isAway = false;
  await keeper.beat();
  t.is(own.state, 'registered');
  // The engine took the lease for lapsed: whatever it held for this node is to be told again.
  t.is(renewals.at(-1), 'forgotten');
  t.is(own.standsSinceMs(clock.ms), clock.ms);
});

test('lease keeper: an engine that is away at the start is an error, not a wait', async (t) => {
  const clock = new FakeClock();
  const membership = breakable(membershipOn(clock));
  membership.isAway = true;
  const { keeper } = startKeeper('a', membership, clock);
  await t.throwsAsync(keeper.start(), { message: 'not there' });
});

test('lease keeper: declared gone it is sent away, looks without renewing, and joins again when it was swept', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  const { keeper, own, renewals } = startKeeper('a', membership, clock);
  await keeper.start();
  t.teardown(() => keeper.stop());
  clock.advance(LEASE_MS * 2);
  t.truthy(await membership.declareGone('incarnation-of-a', 60_000));
  await keeper.beat();
  t.is(own.state, 'sent away');
  t.is(renewals.at(-1), 'sent away');
  keeper.pause();
  await membership.withdraw('incarnation-of-a');
  await keeper.beat();
  t.is(own.state, 'sent away');
  t.deepEqual(await membership.list(), []);
  keeper.resume();
  await keeper.beat();
  t.is(own.state, 'registered');
  t.is(renewals.at(-1), 'joined');
});

test('lease keeper: neither that it was swept nor that it is back is missed when an answer is lost', async (t) => {
  const clock = new FakeClock();
  const membership = breakable(membershipOn(clock));
  const { keeper, own, renewals } = startKeeper('a', membership, clock);
  await keeper.start();
  t.teardown(() => keeper.stop());
  clock.advance(LEASE_MS * 2);
  await membership.declareGone('incarnation-of-a', 60_000);
  await membership.withdraw('incarnation-of-a');
  const beatUnheard = async () => {
    membership.isMute = true;
    await keeper.beat();
    membership.isMute = false;
  };
  await beatUnheard();
  t.is(own.state, 'registered', 'it knows nothing yet');
  await keeper.beat();
  t.is(renewals.at(-1), 'sent away');
  await beatUnheard();
  t.is(own.state, 'sent away');
  await keeper.beat();
  t.is(own.state, 'registered');
  t.is(renewals.at(-1), 'joined', 'though the engine had the lease already');
});

test('lease keeper: a change is told at once, and the others look', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  const a = startKeeper('a', membership, clock);
  const b = startKeeper('b', membership, clock);
  await a.keeper.start();
  await b.keeper.start();
  t.teardown(() => Promise.all([a.keeper.stop(), b.keeper.stop()]));
  a.state.connections = 3;
  const before = b.renewals.length;
  await a.keeper.announce();
  t.is((await membership.list())[0]?.record.connections, 3);
  await new Promise((resolve) => setTimeout(resolve, 120));
  t.true(b.renewals.length > before);
});

test('lease keeper: after its stop nothing is renewed', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  const { keeper } = startKeeper('a', membership, clock);
  await keeper.start();
  await keeper.stop();
  await membership.withdraw('incarnation-of-a');
  await keeper.announce();
  keeper.look();
  t.deepEqual(await membership.list(), []);
});

test('own lease: a node that is alone by its engine stays registered, however long it stands still', (t) => {
  const own = new OwnLease(LEASE_MS, 0, false);
  t.is(own.leftMs(0), 0);
  own.renewed('new', 0, 0);
  t.is(own.leftMs(LEASE_MS * 100), LEASE_MS);
});
