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
    const released = await routes.releaseWorker(NODE, 1);
    t.deepEqual(released.map(({ deviceId }) => deviceId).sort(), ['b', 'c']);
    t.true(released.every(({ app, connection }) => app === 'demo' && connection.worker === 1));
    t.deepEqual(await routes.releaseWorker(NODE, 1), []);
    const left = await routes.lookup(['a', 'b', 'c', 'd'].map(device));
    t.deepEqual(
      left.map((each) => each !== undefined),
      [true, false, false, true],
    );
  });

  test(`${name} routes: a release says what it removed`, async (t) => {
    const { routes } = await createEngine(t, {});
    const [claimed] = await routes.claim([route('ada', { uid: 'u', grants: [1, 2] })]);
    const fence = claimed?.fence ?? 0;
    const released = await routes.release([
      { ...device('ada'), fence: fence - 1 },
      { ...device('nobody'), fence },
      { ...device('ada'), fence },
      { ...device('ada'), fence },
    ]);
    t.deepEqual(
      released.map((each) => each?.fence),
      [undefined, undefined, fence, undefined],
    );
    t.like(released[2], { uid: 'u', grants: [1, 2] });
  });

  test(`${name} routes: a user has the devices of the app that are online with that uid now`, async (t) => {
    const { routes } = await createEngine(t, {});
    const [phone] = await routes.claim([
      route('phone', { uid: 'u1', serial: 1 }),
      route('tablet', { uid: 'u1', serial: 2 }),
      route('tv', { uid: 'u2', serial: 3 }),
      route('lamp', { serial: 4 }),
      { ...route('phone', { uid: 'u1', serial: 5 }), app: 'other' },
    ]);
    const found = async (...uids: string[]) =>
      (await routes.lookupUsers('demo', uids)).map((own) =>
        own.map(({ app, deviceId, connection }) => `${app} ${deviceId} ${connection.serial}`).sort(),
      );
    t.deepEqual(await found('u2', 'nobody', 'u1'), [['demo tv 3'], [], ['demo phone 1', 'demo tablet 2']]);
    await routes.claim([route('tablet', { uid: 'u2', serial: 6 })]);
    t.deepEqual(await found('u1', 'u2'), [['demo phone 1'], ['demo tablet 6', 'demo tv 3']]);
    await routes.release([{ ...device('phone'), fence: phone?.fence ?? 0 }]);
    await routes.claim([route('tv', { serial: 7 })]);
    t.deepEqual(await found('u1', 'u2'), [[], ['demo tablet 6']]);
    await routes.releaseWorker(NODE, 0);
    t.deepEqual(await found('u2'), [[]]);
  });

  test(`${name} routes: pages hold every device once, whoever comes and goes meanwhile`, async (t) => {
    const { routes } = await createEngine(t, {});
    const odd = ['', '/', 'a/b', 'ж', '🦆', 'x\ty'].map((id) => `odd-${id}`);
    const stay = [...odd, ...Array.from({ length: 300 }, (_, i) => `stay-${i}`)];
    const go = Array.from({ length: 100 }, (_, i) => `go-${i}`);
    const claimed = await routes.claim([...go, ...stay].map((id) => route(id)));
    await routes.claim(['p', 'q'].map((id) => ({ ...route(id), app: 'another' })));
    const seen: string[] = [];
    let after: string | undefined;
    let pages = 0;
    do {
      const page = await routes.list({ app: 'demo', after, limit: 37 });
      t.true(page.routes.length <= 37);
      for (const { app, deviceId, grants } of page.routes) {
        t.deepEqual([app, grants], ['demo', [1]]);
        seen.push(deviceId);
      }
      after = page.next;
      // Among them the one that the cursor names.
      const last = claimed[go.indexOf(seen.at(-1) ?? '')];
      await routes.release([
        { ...device(seen.at(-1) ?? ''), fence: last?.fence ?? 0 },
        { ...device(go[pages] as string), fence: claimed[pages]?.fence ?? 0 },
      ]);
      await routes.claim([route(`new-${pages}`), route(stay[pages] as string)]);
      pages += 1;
    } while (after !== undefined);
    t.is(new Set(seen).size, seen.length);
    t.deepEqual(seen.filter((id) => id.startsWith('stay') || id.startsWith('odd')).sort(), [...stay].sort());
    t.deepEqual(await routes.list({ app: 'nowhere', limit: 10 }), { routes: [] });
    const all = await routes.list({ limit: 10_000 });
    t.is(all.next, undefined);
    t.is(all.routes.filter(({ app }) => app === 'another').length, 2);
    const paged: string[] = [];
    for (let from: string | undefined, first = true; first || from !== undefined; first = false) {
      const page = await routes.list({ after: from, limit: 50 });
      for (const { app, deviceId } of page.routes) paged.push(`${app} ${deviceId}`);
      from = page.next;
    }
    t.deepEqual(paged.sort(), all.routes.map(({ app, deviceId }) => `${app} ${deviceId}`).sort());
  });

  test(`${name} groups: pages hold every group of the business once`, async (t) => {
    const { groups } = await createEngine(t, {});
    const names = [...Array.from({ length: 60 }, (_, i) => `room ${i}`), 'ж', '1 room', '/'];
    for (const group of names) await groups.create(1, group);
    await groups.create(2, 'theirs');
    await groups.create(1, 'gone');
    await groups.dissolve(1, 'gone');
    const seen: string[] = [];
    for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
      const page = await groups.list(1, { after, limit: 7 });
      for (const { group, createdAtMs } of page.groups) {
        seen.push(group);
        t.is((await groups.get(1, group))?.createdAtMs, createdAtMs);
      }
      after = page.next;
    }
    t.deepEqual(seen.toSorted(), names.toSorted());
    t.deepEqual(await groups.list(3, { limit: 5 }), { groups: [] });
    t.deepEqual((await groups.list(2, { after: 'theirs', limit: 5 })).groups, []);
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
