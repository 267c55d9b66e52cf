/** A node among others: several ClusterActors on one membership, as nodes share an engine. */
import test, { type ExecutionContext } from 'ava';
import ClusterActor from '../../cluster/cluster-actor.js';
import type { NodeRecord } from '../../cluster/engines/contract/index.js';
import { captureLog } from '../support/log-capture.js';
import { until } from '../support/until.js';
import { FakeClock, LEASE_MS, membershipOn, recordOf } from './membership/fixtures.js';

interface TestedNode {
  readonly actor: ClusterActor;
  readonly asked: { topic: string; message: object }[];
  readonly deeds: string[];
  readonly logs: ReturnType<typeof captureLog>;
  said: Partial<NodeRecord>;
  /** Questions to the router that fail first. */
  failures: number;
}

function nodeOn(
  t: ExecutionContext,
  membership: ReturnType<typeof membershipOn>,
  clock: FakeClock,
  name: string,
  incarnation = `incarnation-of-${name}`,
): TestedNode {
  const logs = captureLog();
  const node: TestedNode = {
    asked: [],
    deeds: [],
    logs,
    said: {},
    failures: 0,
    actor: new ClusterActor({
      membership,
      engine: 'redis',
      leaseMs: LEASE_MS,
      incarnation,
      record: () => recordOf(name, { incarnation, ...node.said }),
      log: logs.log,
      now: clock.now,
      askRouter: async (topic, message) => {
        node.asked.push({ topic, message });
        if (node.failures-- > 0) throw new Error('engine is away');
        return 5;
      },
      sendAway: async () => void node.deeds.push('sent away'),
      readmit: async () => void node.deeds.push('readmitted'),
    }),
  };
  t.teardown(() => node.actor.withdraw());
  return node;
}

const stateOf = ({ actor }: TestedNode, name: string) => actor.status().nodes.find((each) => each.name === name)?.state;

test('cluster: nodes see each other join, change and leave', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  const [a, b] = ['a', 'b'].map((name) => nodeOn(t, membership, clock, name)) as [TestedNode, TestedNode];
  t.is(a.actor.notReadyReason(), 'node is unregistered');
  await a.actor.join();
  t.is(a.actor.notReadyReason(), '');
  await b.actor.join();
  await until(() => stateOf(a, 'b') === 'joined');
  b.said = { draining: true, connections: 9 };
  await b.actor.announce();
  await until(() => a.actor.status().nodes.some(({ draining }) => draining));
  t.is(a.actor.leases().length, 2);
  await b.actor.withdraw();
  await until(() => stateOf(a, 'b') === 'gone');
  t.is(a.actor.leases().length, 1);
  t.like(
    a.actor.status().nodes.find(({ name }) => name === 'b'),
    { reason: 'left the service', connections: 9 },
  );
  t.deepEqual(a.asked, []);
});

test('cluster: what a node left that stays lapsed is swept, and the node is taken off', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  const a = nodeOn(t, membership, clock, 'a');
  await membership.renew(recordOf('b'), LEASE_MS);
  await a.actor.join();
  for (let i = 0; i < 12; i++) {
    clock.advance(LEASE_MS / 5);
    await a.actor.announce();
  }
  await until(() => a.actor.counts.sweeps === 1);
  t.like(a.asked, [{ topic: 'sweep', message: { incarnation: 'incarnation-of-b' } }]);
  t.is(a.actor.counts.sweptRoutes, 5);
  t.is(stateOf(a, 'b'), 'gone');
  t.is((await membership.list()).length, 1);
});

test('cluster: declared gone itself, it sends its clients away, and lets them in again when it was swept', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  const a = nodeOn(t, membership, clock, 'a');
  await a.actor.join();
  clock.advance(LEASE_MS * 3);
  t.regex(a.actor.notReadyReason(), /^cut off from the engine/);
  await membership.declareGone('incarnation-of-a', 60_000);
  await a.actor.announce();
  t.regex(a.actor.notReadyReason(), /^sent away: another node declared it gone/);
  t.deepEqual(a.deeds, ['sent away']);
  await membership.withdraw('incarnation-of-a');
  await until(() => a.deeds.length === 2);
  t.deepEqual(a.deeds, ['sent away', 'readmitted']);
  t.is(a.actor.notReadyReason(), '');
  t.deepEqual(a.asked, []);
});

test('cluster: forgotten by the engine, it has its routes put back, again and again until that succeeds', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  const a = nodeOn(t, membership, clock, 'a');
  await a.actor.join();
  a.failures = 1;
  await membership.withdraw('incarnation-of-a');
  await until(() => a.asked.length === 2);
  t.deepEqual(
    a.asked.map(({ topic }) => topic),
    ['restoreAll', 'restoreAll'],
  );
  t.regex(a.logs.text(), /routes could not be put back yet/);
});

test('cluster: two nodes of one name: the second does not start', async (t) => {
  const clock = new FakeClock();
  const membership = membershipOn(clock);
  const a = nodeOn(t, membership, clock, 'a');
  await a.actor.join();
  const other = nodeOn(t, membership, clock, 'a', 'another-incarnation');
  const ticking = setInterval(() => clock.advance(20), 20);
  t.teardown(() => clearInterval(ticking));
  await t.throwsAsync(other.actor.join(), { code: 'TRK_NODE_NAME_TAKEN' });
});
