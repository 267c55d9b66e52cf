/** What every engine promises of membership. Leases that must stand are long, those that must lapse very short. */
import test, { type ExecutionContext } from 'ava';
import type { Engine, Membership, NodeLease } from '../../../cluster/engines/contract/index.js';
import { until } from '../../support/until.js';
import { createOne, createTwo, type EnginesUnderTest, NOBODY, NODE, nodeRecord, OTHER_NODE } from './under-test.js';

const LONG_MS = 600_000;
const SHORT_MS = 20;

export function testMembership(name: string, engines: EnginesUnderTest): void {
  const { elapse } = engines;

  async function createOneTwice(t: ExecutionContext): Promise<[Engine, Engine]> {
    const engine = await createOne(engines, t);
    return [engine, engine];
  }

  /** A node whose lease has lapsed. */
  async function lapse(membership: Membership, incarnation: string): Promise<void> {
    await membership.renew(nodeRecord(incarnation), SHORT_MS);
    await elapse(SHORT_MS);
    while ((await leaseOf(membership, incarnation))?.leftMs !== 0) await elapse(1);
  }

  test(`${name} membership: a first renewal is new, the next ones are renewals, and all see it`, async (t) => {
    const { membership } = await createOne(engines, t);
    t.deepEqual(await membership.list(), []);
    const first = await membership.renew(nodeRecord(NODE), LONG_MS);
    t.is(first.own, 'new');
    t.deepEqual(
      first.nodes.map(({ record }) => record),
      [nodeRecord(NODE)],
    );
    t.is((await membership.renew(nodeRecord(NODE), LONG_MS)).own, 'renewed');
    const view = await membership.renew(nodeRecord(OTHER_NODE), LONG_MS);
    t.is(view.own, 'new');
    t.deepEqual(incarnations(view.nodes), [NODE, OTHER_NODE]);
    t.deepEqual(incarnations(await membership.list()), [NODE, OTHER_NODE]);
    for (const { leftMs } of view.nodes) t.true(leftMs > 0 && leftMs <= LONG_MS);
  });

  test(`${name} membership: a node is as it said at its last renewal`, async (t) => {
    const { membership } = await createOne(engines, t);
    await membership.renew(nodeRecord(NODE), LONG_MS);
    const changed = nodeRecord(NODE, { draining: true, accessPoints: {}, workers: [4, 1], load: 1.5, roles: [] });
    const { nodes } = await membership.renew(changed, LONG_MS);
    t.deepEqual(
      nodes.map(({ record }) => record),
      [changed],
    );
  });

  test(`${name} membership: a lapsed lease is listed until the node renews, as new, or is withdrawn`, async (t) => {
    const { membership } = await createOne(engines, t);
    await lapse(membership, NODE);
    await lapse(membership, OTHER_NODE);
    t.deepEqual(incarnations(await membership.list()), [NODE, OTHER_NODE]);
    t.is((await membership.renew(nodeRecord(NODE), LONG_MS)).own, 'new');
    t.true(((await leaseOf(membership, NODE))?.leftMs ?? 0) > 0);
    await membership.withdraw(OTHER_NODE);
    t.deepEqual(incarnations(await membership.list()), [NODE]);
  });

  test(`${name} membership: who withdrew is not listed, and may come again`, async (t) => {
    const { membership } = await createOne(engines, t);
    await membership.renew(nodeRecord(NODE), LONG_MS);
    await membership.withdraw(NODE);
    await t.notThrowsAsync(membership.withdraw(NODE), 'twice is once');
    t.deepEqual(await membership.list(), []);
    t.is((await membership.renew(nodeRecord(NODE), LONG_MS)).own, 'new');
  });

  test(`${name} membership: a node is declared gone by one caller, and only when its lease has lapsed`, async (t) => {
    const { membership } = await createOne(engines, t);
    await membership.renew(nodeRecord(NODE), LONG_MS);
    t.is(await membership.declareGone(NODE, LONG_MS), undefined, 'its lease stands');
    t.is(await membership.declareGone(NOBODY, LONG_MS), undefined, 'there is no such node');
    await lapse(membership, OTHER_NODE);
    const answers = await Promise.all([1, 2, 3].map(() => membership.declareGone(OTHER_NODE, LONG_MS)));
    const fences = answers.filter((fence) => fence !== undefined);
    t.is(fences.length, 1);
    t.true(Math.abs(Date.now() - (fences[0] ?? 0) / 1_000) < 60_000);
    await membership.withdraw(OTHER_NODE);
    t.is(await membership.declareGone(OTHER_NODE, LONG_MS), undefined, 'it is swept');
  });

  test(`${name} membership: one that came back in time is not declared gone`, async (t) => {
    const { membership } = await createOne(engines, t);
    await lapse(membership, NODE);
    await membership.renew(nodeRecord(NODE), LONG_MS);
    t.is(await membership.declareGone(NODE, LONG_MS), undefined);
    t.is((await membership.renew(nodeRecord(NODE), LONG_MS)).own, 'renewed');
  });

  test(`${name} membership: one that was declared gone is told so until it says that it heard`, async (t) => {
    const { membership } = await createOne(engines, t);
    await lapse(membership, NODE);
    await membership.declareGone(NODE, LONG_MS);
    t.is((await membership.renew(nodeRecord(NODE), LONG_MS, true)).own, 'gone', 'its routes are being swept');
    const view = await membership.renew(nodeRecord(NODE), LONG_MS);
    t.is(view.own, 'gone');
    t.deepEqual(
      view.nodes.map(({ leftMs }) => leftMs),
      [0],
      'nothing was renewed',
    );
    await membership.withdraw(NODE);
    for (const why of ['however long ago it was swept', 'again: the first answer may have been lost']) {
      t.is((await membership.renew(nodeRecord(NODE), LONG_MS)).own, 'gone', why);
    }
    t.deepEqual(await membership.list(), []);
    t.is((await membership.renew(nodeRecord(NODE), LONG_MS, true)).own, 'new');
    t.is((await membership.renew(nodeRecord(NODE), LONG_MS)).own, 'renewed');
  });

  test(`${name} membership: when who declared it dies over the sweep, another may`, async (t) => {
    const { membership } = await createOne(engines, t);
    await lapse(membership, NODE);
    const first = (await membership.declareGone(NODE, SHORT_MS)) ?? 0;
    await elapse(SHORT_MS);
    let second: number | undefined;
    while (second === undefined) {
      await elapse(1);
      second = await membership.declareGone(NODE, SHORT_MS);
    }
    t.true(second >= first);
    t.is((await leaseOf(membership, NODE))?.leftMs, 0);
    await elapse(SHORT_MS);
    while ((await membership.renew(nodeRecord(NODE), LONG_MS)).own === 'gone') await elapse(1);
    t.is((await membership.renew(nodeRecord(NODE), LONG_MS)).own, 'renewed', 'it is back when nobody swept it');
  });

  test(`${name} membership: who wants to hear of changes is told`, async (t) => {
    const [one, other] = engines.spansNodes ? await createTwo(engines, t) : await createOneTwice(t);
    let changes = 0;
    one.membership.onChange(() => {
      changes += 1;
    });
    const heard = async (act: () => Promise<unknown>) => {
      const before = changes;
      await act();
      await until(() => changes > before);
    };
    await heard(() => other.membership.renew(nodeRecord(OTHER_NODE), LONG_MS));
    await heard(() => other.membership.announceChange());
    await heard(() => other.membership.withdraw(OTHER_NODE));
    t.is(changes, 3);
  });

  if (!engines.spansNodes) return;

  test(`${name} membership: nodes see each other`, async (t) => {
    const [one, other] = await createTwo(engines, t);
    await one.membership.renew(nodeRecord(NODE), LONG_MS);
    const { own, nodes } = await other.membership.renew(nodeRecord(OTHER_NODE), LONG_MS);
    t.is(own, 'new');
    t.deepEqual(incarnations(nodes), [NODE, OTHER_NODE]);
  });

  test(`${name} membership: the bound of a sweep is above what was claimed before and not above what comes`, async (t) => {
    const [one, other] = await createTwo(engines, t);
    const claim = async () => {
      const connection = { incarnation: NODE, worker: 0, serial: 1 };
      const [claimed] = await one.routes.claim([
        { app: 'demo', deviceId: 'ada', connection, grants: [], uid: undefined },
      ]);
      return claimed?.fence ?? 0;
    };
    const before = await claim();
    await lapse(one.membership, NODE);
    const bound = (await other.membership.declareGone(NODE, LONG_MS)) ?? 0;
    t.true(before < bound);
    t.true((await claim()) >= bound);
  });

  test(`${name} membership: a slow sweeper does not take off a node that is back`, async (t) => {
    const [one, other] = await createTwo(engines, t);
    await lapse(one.membership, NODE);
    await other.membership.declareGone(NODE, SHORT_MS);
    while ((await one.membership.renew(nodeRecord(NODE), LONG_MS)).own !== 'new') await elapse(1);
    await other.membership.withdraw(NODE);
    t.is((await one.membership.renew(nodeRecord(NODE), LONG_MS)).own, 'renewed');
  });
}

async function leaseOf(membership: Membership, incarnation: string): Promise<NodeLease | undefined> {
  return (await membership.list()).find(({ record }) => record.incarnation === incarnation);
}

function incarnations(nodes: readonly NodeLease[]): string[] {
  return nodes.map(({ record }) => record.incarnation).sort();
}
