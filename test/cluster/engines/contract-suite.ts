/**
 * What every engine promises the router, as one suite: an engine's test file calls `testEngine` with a way to make a
 * fresh one. A suite that needs a server of its own makes and ends it in `createEngine`.
 */
import test, { type ExecutionContext } from 'ava';
import type { NewRoute } from '../../../actors/index.js';
import type { Engine } from '../../../cluster/engines/contract/index.js';

export interface EngineUnderTest {
  /** @returns an empty engine, closed with the test; `clockUs` is read where the engine numbers routes itself */
  readonly createEngine: (t: ExecutionContext, options: { readonly clockUs?: () => number }) => Promise<Engine>;
  /** Whether fences follow the `clockUs` that is given; a server's own clock cannot be set. */
  readonly takesClock: boolean;
}

const NODE = '00000000000000aa';
const OTHER_NODE = '00000000000000bb';

export function testEngine(name: string, { createEngine, takesClock }: EngineUnderTest): void {
  test(`${name} routes: a claim is found, with all that was claimed`, async (t) => {
    const { routes } = await createEngine(t, {});
    const claim = route('ada', { uid: 'user-1', grants: [1, 300], sinceMs: 1_750_000_000_123 });
    const [claimed] = await routes.claim([claim]);
    t.true(Number.isSafeInteger(claimed?.fence) && (claimed?.fence ?? 0) > 0);
    t.is(claimed?.replaced, undefined);
    const { app, deviceId, ...rest } = claim;
    t.deepEqual(await routes.lookup([{ app, deviceId }]), [{ ...rest, fence: claimed?.fence }] as never);
  });

  test(`${name} routes: look-ups come back in order, with gaps where nobody is`, async (t) => {
    const { routes } = await createEngine(t, {});
    await routes.claim([route('a', { serial: 1 }), route('b', { serial: 2 }), route('c', { serial: 3 })]);
    const found = await routes.lookup(['c', 'nobody', 'a', 'c', 'b'].map(device));
    t.deepEqual(
      found.map((each) => each?.connection.serial),
      [3, undefined, 1, 3, 2],
    );
    t.deepEqual(await routes.lookup([]), []);
  });

  test(`${name} routes: devices of the same id in two apps, or of odd ids, are different devices`, async (t) => {
    const { routes } = await createEngine(t, {});
    const ids = ['x', 'x ', ' x', 'ж', '🦆', 'x:y', '{x}', '\u0001', 'é', 'e\u0301'];
    await routes.claim(ids.map((deviceId, serial) => ({ ...route(deviceId, { serial }), app: 'one' })));
    const inOne = await routes.lookup(ids.map((deviceId) => ({ app: 'one', deviceId })));
    t.deepEqual(
      inOne.map((each) => each?.connection.serial),
      ids.map((_, serial) => serial),
    );
    t.deepEqual(
      await routes.lookup(ids.map((deviceId) => ({ app: 'two', deviceId }))),
      ids.map(() => undefined),
    );
  });

  test(`${name} routes: a newer claim replaces the older and is told whom`, async (t) => {
    const { routes } = await createEngine(t, {});
    const [first] = await routes.claim([route('ada', { serial: 1, worker: 0 })]);
    const [second] = await routes.claim([route('ada', { serial: 9, worker: 1, incarnation: OTHER_NODE })]);
    t.deepEqual(second?.replaced?.connection, { incarnation: NODE, worker: 0, serial: 1 });
    t.is(second?.replaced?.fence, first?.fence);
    t.true((second?.fence ?? 0) > (first?.fence ?? 0));
    const [found] = await routes.lookup([device('ada')]);
    t.is(found?.connection.serial, 9);
  });

  test(`${name} routes: two claims of one device in one batch: the later one stands`, async (t) => {
    const { routes } = await createEngine(t, {});
    const [first, second] = await routes.claim([route('ada', { serial: 1 }), route('ada', { serial: 2 })]);
    t.is(first?.replaced, undefined);
    t.is(second?.replaced?.connection.serial, 1);
    t.true((second?.fence ?? 0) > (first?.fence ?? 0));
    t.is((await routes.lookup([device('ada')]))[0]?.connection.serial, 2);
  });

  test(`${name} routes: fences grow over deletions`, async (t) => {
    const { routes } = await createEngine(t, {});
    let last = 0;
    for (let i = 0; i < 20; i++) {
      const [claimed] = await routes.claim([route('ada')]);
      const fence = claimed?.fence ?? 0;
      t.true(fence > last);
      last = fence;
      await routes.release([{ ...device('ada'), fence }]);
    }
  });

  if (takesClock) {
    test(`${name} routes: fences grow while the clock stands still or jumps back, and follow it forward`, async (t) => {
      let nowUs = 5_000_000;
      const { routes } = await createEngine(t, { clockUs: () => nowUs });
      const claim = async () => (await routes.claim([route('ada')]))[0]?.fence;
      t.is(await claim(), 5_000_000);
      t.is(await claim(), 5_000_001);
      nowUs = 1_000_000;
      t.is(await claim(), 5_000_002);
      nowUs = 9_000_000;
      t.is(await claim(), 9_000_000);
    });

    test(`${name} routes: an engine that forgot everything numbers above what it numbered before`, async (t) => {
      const before = await createEngine(t, { clockUs: () => 5_000_000 });
      const after = await createEngine(t, { clockUs: () => 5_000_100 });
      const [old] = await before.routes.claim([route('ada')]);
      const [fresh] = await after.routes.claim([route('ada')]);
      t.true((fresh?.fence ?? 0) > (old?.fence ?? 0));
    });
  }

  test(`${name} routes: a release with an older fence does nothing, with the right one it ends the route`, async (t) => {
    const { routes } = await createEngine(t, {});
    const [first] = await routes.claim([route('ada', { serial: 1 })]);
    const [second] = await routes.claim([route('ada', { serial: 2 })]);
    await routes.release([{ ...device('ada'), fence: first?.fence ?? 0 }]);
    t.is((await routes.lookup([device('ada')]))[0]?.connection.serial, 2);
    await routes.release([
      { ...device('nobody'), fence: 1 },
      { ...device('ada'), fence: second?.fence ?? 0 },
    ]);
    t.deepEqual(await routes.lookup([device('ada')]), [undefined]);
    await t.notThrowsAsync(routes.release([{ ...device('ada'), fence: second?.fence ?? 0 }]), 'twice is once');
  });

  test(`${name} routes: a grant is withdrawn under its fence only, and from that device only`, async (t) => {
    const { routes } = await createEngine(t, {});
    const [old] = await routes.claim([route('ada', { grants: [1, 2] })]);
    const [current, other] = await routes.claim([
      route('ada', { grants: [1, 2, 3] }),
      route('ben', { grants: [1, 2, 3] }),
    ]);
    t.false(await routes.withdrawGrant(device('ada'), old?.fence ?? 0, 2));
    t.false(await routes.withdrawGrant(device('nobody'), current?.fence ?? 0, 2));
    t.false(await routes.withdrawGrant(device('ada'), current?.fence ?? 0, 4));
    t.true(await routes.withdrawGrant(device('ada'), current?.fence ?? 0, 2));
    t.false(await routes.withdrawGrant(device('ada'), current?.fence ?? 0, 2));
    const [ada, ben] = await routes.lookup([device('ada'), device('ben')]);
    t.deepEqual(
      [ada?.grants, ben?.grants],
      [
        [1, 3],
        [1, 2, 3],
      ],
    );
    t.deepEqual([ada?.fence, ben?.fence], [current?.fence, other?.fence]);
  });

  test(`${name} routes: a worker's end takes that worker's routes of that node, and counts them`, async (t) => {
    const { routes } = await createEngine(t, {});
    await routes.claim([
      route('a', { worker: 0 }),
      route('b', { worker: 1 }),
      route('c', { worker: 1 }),
      route('d', { worker: 1, incarnation: OTHER_NODE }),
    ]);
    t.is(await routes.releaseWorker(NODE, 1), 2);
    t.is(await routes.releaseWorker(NODE, 1), 0);
    const left = await routes.lookup(['a', 'b', 'c', 'd'].map(device));
    t.deepEqual(
      left.map((each) => each !== undefined),
      [true, false, false, true],
    );
  });

  test(`${name} groups: create and dissolve say whether they did`, async (t) => {
    const { groups } = await createEngine(t, {});
    t.is(await groups.get(1, 'room'), undefined);
    t.true(await groups.create(1, 'room'));
    t.false(await groups.create(1, 'room'));
    t.true(await groups.dissolve(1, 'room'));
    t.false(await groups.dissolve(1, 'room'));
    t.is(await groups.get(1, 'room'), undefined);
  });

  test(`${name} groups: offsets begin at one, grow by one, and end with the group`, async (t) => {
    const { groups } = await createEngine(t, {});
    t.is(await groups.nextOffset(1, 'room'), undefined);
    await groups.create(1, 'room');
    t.is((await groups.get(1, 'room'))?.offset, 0);
    const taken = await Promise.all([1, 2, 3].map(() => groups.nextOffset(1, 'room')));
    t.deepEqual(taken.toSorted(), [1, 2, 3]);
    t.is((await groups.get(1, 'room'))?.offset, 3);
    await groups.dissolve(1, 'room');
    t.is(await groups.nextOffset(1, 'room'), undefined);
  });

  test(`${name} groups: one that is made again has a new epoch and begins anew`, async (t) => {
    const { groups } = await createEngine(t, {});
    await groups.create(1, 'room');
    await groups.nextOffset(1, 'room');
    const before = await groups.get(1, 'room');
    t.is((await groups.get(1, 'room'))?.epoch, before?.epoch);
    await groups.dissolve(1, 'room');
    await groups.create(1, 'room');
    const after = await groups.get(1, 'room');
    t.not(after?.epoch, before?.epoch);
    t.is(after?.offset, 0);
    t.true((after?.createdAtMs ?? 0) >= (before?.createdAtMs ?? 0));
    t.true(Math.abs(Date.now() - (after?.createdAtMs ?? 0)) < 60_000);
  });

  test(`${name} groups: the same name in two businesses is two groups`, async (t) => {
    const { groups } = await createEngine(t, {});
    await groups.create(1, '1 room');
    await groups.create(11, 'room');
    t.true(await groups.create(1, 'room'));
    await groups.nextOffset(1, 'room');
    t.deepEqual([(await groups.get(1, '1 room'))?.offset, (await groups.get(11, 'room'))?.offset], [0, 0]);
    t.true(await groups.dissolve(1, 'room'));
    t.not(await groups.get(1, '1 room'), undefined);
  });

  test(`${name} groups: a record that was handed out does not move`, async (t) => {
    const { groups } = await createEngine(t, {});
    await groups.create(1, 'room');
    const record = await groups.get(1, 'room');
    await groups.nextOffset(1, 'room');
    t.is(record?.offset, 0);
  });

  test(`${name} membership: who announced is listed until it withdraws`, async (t) => {
    const { membership } = await createEngine(t, {});
    const nodes = [NODE, OTHER_NODE].map((incarnation, i) => ({
      name: `node-${i}`,
      incarnation,
      startedAtMs: 1_000 + i,
    }));
    t.deepEqual(await membership.list(), []);
    for (const node of nodes) await membership.announce(node);
    for (const node of nodes) await membership.announce(node);
    t.deepEqual(
      (await membership.list()).toSorted((a, b) => a.startedAtMs - b.startedAtMs),
      nodes,
    );
    await membership.withdraw(NODE);
    await membership.withdraw('00000000000000cc');
    t.deepEqual(await membership.list(), nodes.slice(1));
  });
}

function device(deviceId: string) {
  return { app: 'demo', deviceId };
}

interface RouteFields {
  readonly serial?: number;
  readonly worker?: number;
  readonly incarnation?: string;
  readonly grants?: readonly number[];
  readonly uid?: string;
  readonly sinceMs?: number;
}

function route(deviceId: string, fields: RouteFields = {}): NewRoute {
  const { serial = 1, worker = 0, incarnation = NODE, grants = [1], uid, sinceMs = 1_750_000_000_000 } = fields;
  return { ...device(deviceId), connection: { incarnation, worker, serial }, grants, uid, sinceMs };
}
