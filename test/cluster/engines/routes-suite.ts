/** What every engine promises of routes, as one suite: an engine's test file calls it with a way to make a fresh one. */
import test, { type ExecutionContext } from 'ava';
import type { DeviceRoute, NewRoute, Route, RouteStore } from '../../../actors/index.js';

export interface RoutesUnderTest {
  /** @returns an empty store, closed with the test; `clockUs` is read where the engine numbers routes itself */
  readonly createRoutes: (t: ExecutionContext, options?: { readonly clockUs?: () => number }) => Promise<RouteStore>;
  /** Whether fences follow the `clockUs` that is given; a server's own clock cannot be set. */
  readonly takesClock: boolean;
}

const NODE = '00000000000000aa';
const OTHER_NODE = '00000000000000bb';

export function testRoutes(name: string, { createRoutes, takesClock }: RoutesUnderTest): void {
  test(`${name} routes: a claim is found, with all that was claimed`, async (t) => {
    const routes = await createRoutes(t);
    const claims = [
      route('ada', { uid: 'user-1', grants: [1, 300, 16_383] }),
      route('ben', { uid: 'ж'.repeat(60), worker: 255, serial: 7 * 2 ** 32 + 2 ** 31, grants: [] }),
      route('cat', { serial: 2 ** 52, incarnation: 'ffffffffffffffff' }),
      route('dan', { incarnation: '0000000000000000', serial: 127 }),
    ];
    const claimed = await routes.claim(claims);
    claims.forEach((_, i) => {
      t.is(claimed[i]?.replaced, undefined);
      t.true(Number.isSafeInteger(claimed[i]?.fence) && (claimed[i]?.fence ?? 0) > 0);
    });
    const expected = claims.map(({ app: _, deviceId: __, ...rest }, i) => {
      const fence = claimed[i]?.fence ?? 0;
      return { ...rest, fence, sinceMs: Math.floor(fence / 1_000) };
    });
    t.deepEqual(await routes.lookup(claims), expected);
    t.deepEqual(await routes.claim([]), []);
  });

  test(`${name} routes: look-ups come back in order, with gaps where nobody is`, async (t) => {
    const routes = await createRoutes(t);
    await routes.claim([route('a', { serial: 1 }), route('b', { serial: 2 }), route('c', { serial: 3 })]);
    const found = await routes.lookup(['c', 'nobody', 'a', 'c', 'b'].map(device));
    t.deepEqual(
      found.map((each) => each?.connection.serial),
      [3, undefined, 1, 3, 2],
    );
    t.deepEqual(await routes.lookup([]), []);
  });

  test(`${name} routes: devices of the same id in two apps, or of odd ids, are different devices`, async (t) => {
    const routes = await createRoutes(t);
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
    const routes = await createRoutes(t);
    const [first] = await routes.claim([route('ada', { serial: 1, worker: 0 })]);
    const [second] = await routes.claim([route('ada', { serial: 9, worker: 1, incarnation: OTHER_NODE })]);
    t.deepEqual(second?.replaced?.connection, { incarnation: NODE, worker: 0, serial: 1 });
    t.is(second?.replaced?.fence, first?.fence);
    t.true((second?.fence ?? 0) > (first?.fence ?? 0));
    const [found] = await routes.lookup([device('ada')]);
    t.is(found?.connection.serial, 9);
  });

  test(`${name} routes: two claims of one device in one batch: the later one stands`, async (t) => {
    const routes = await createRoutes(t);
    const [first, second] = await routes.claim([route('ada', { serial: 1 }), route('ada', { serial: 2 })]);
    t.is(first?.replaced, undefined);
    t.is(second?.replaced?.connection.serial, 1);
    t.true((second?.fence ?? 0) > (first?.fence ?? 0));
    t.is((await routes.lookup([device('ada')]))[0]?.connection.serial, 2);
  });

  test(`${name} routes: fences grow over deletions`, async (t) => {
    const routes = await createRoutes(t);
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
      const routes = await createRoutes(t, { clockUs: () => nowUs });
      const claim = async () => (await routes.claim([route('ada')]))[0]?.fence;
      t.is(await claim(), 5_000_000);
      t.is(await claim(), 5_000_001);
      nowUs = 1_000_000;
      t.is(await claim(), 5_000_002);
      nowUs = 9_000_000;
      t.is(await claim(), 9_000_000);
    });

    test(`${name} routes: an engine that forgot everything numbers above what it numbered before`, async (t) => {
      const before = await createRoutes(t, { clockUs: () => 5_000_000 });
      const after = await createRoutes(t, { clockUs: () => 5_000_100 });
      const [old] = await before.claim([route('ada')]);
      const [fresh] = await after.claim([route('ada')]);
      t.true((fresh?.fence ?? 0) > (old?.fence ?? 0));
    });
  }

  test(`${name} routes: a release with an older fence does nothing, with the right one it ends the route`, async (t) => {
    const routes = await createRoutes(t);
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
    const routes = await createRoutes(t);
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

  test(`${name} routes: a restored route stands as it was, fence and all`, async (t) => {
    const routes = await createRoutes(t);
    const [claimed] = await routes.claim([route('ada', { uid: 'u', grants: [1, 2] })]);
    const [before] = await located(routes, 'ada');
    const fence = claimed?.fence ?? 0;
    const forgotten = { ...before, deviceId: 'ben', fence: fence - 5_000_000, sinceMs: 1 } as DeviceRoute;
    const refreshed = { ...before, grants: [3] } as DeviceRoute;
    const restored = await routes.restore([forgotten, refreshed]);
    t.deepEqual(
      restored.map(({ stands, before }) => [stands, before?.grants]),
      [
        [true, undefined],
        [true, [1, 2]],
      ],
    );
    t.deepEqual(await located(routes, 'ada'), [refreshed]);
    const sinceMs = Math.floor(forgotten.fence / 1_000);
    t.deepEqual(await located(routes, 'ben'), [{ ...forgotten, sinceMs }], 'the moment of login is told by the fence');
    const [users] = await routes.lookupUsers('demo', ['u']);
    t.deepEqual(users?.map(({ deviceId }) => deviceId).sort(), ['ada', 'ben']);
    t.deepEqual(await routes.restore([]), []);
  });

  test(`${name} routes: what a newer login holds is not restored over`, async (t) => {
    const routes = await createRoutes(t);
    await routes.claim([route('ada', { serial: 1, uid: 'u1' })]);
    const old = await located(routes, 'ada');
    await routes.claim([route('ada', { serial: 2, uid: 'u2', incarnation: OTHER_NODE })]);
    const current = await located(routes, 'ada');
    const [restored] = await routes.restore(old);
    t.false(restored?.stands);
    t.is(restored?.before?.fence, current[0]?.fence);
    t.deepEqual(await located(routes, 'ada'), current);
    t.deepEqual(
      (await routes.lookupUsers('demo', ['u1', 'u2'])).map((found) => found.length),
      [0, 1],
    );
  });

  test(`${name} routes: a login after a restored one has a higher fence, even in an empty store`, async (t) => {
    const routes = await createRoutes(t);
    const future = (Date.now() + 60_000) * 1_000;
    const restored = { ...route('ada'), fence: future, sinceMs: future / 1_000 };
    t.deepEqual(await routes.restore([restored]), [{ stands: true, before: undefined }]);
    const [claimed] = await routes.claim([route('ada')]);
    t.is(claimed?.fence, future + 1);
    await routes.release([{ ...device('ada'), fence: future + 1 }]);
    const [again] = await routes.claim([route('ada')]);
    t.is(again?.fence, future + 2, 'deleted routes count');
  });

  test(`${name} routes: two claims and releases of one device at the same time leave one route`, async (t) => {
    const routes = await createRoutes(t);
    const claims = await Promise.all([1, 2, 3, 4].map((serial) => routes.claim([route('ada', { serial, uid: 'u' })])));
    const flat = claims.flat();
    t.is(new Set(flat.map(({ fence }) => fence)).size, 4);
    const highest = Math.max(...flat.map(({ fence }) => fence));
    const replaced = flat.map((each) => each.replaced?.fence).filter((fence) => fence !== undefined);
    t.deepEqual(
      replaced.sort(),
      flat
        .map(({ fence }) => fence)
        .filter((fence) => fence !== highest)
        .sort(),
    );
    await Promise.all(
      flat.filter(({ fence }) => fence !== highest).map(({ fence }) => routes.release([{ ...device('ada'), fence }])),
    );
    t.is((await routes.lookup([device('ada')]))[0]?.fence, highest);
    t.is((await routes.lookupUsers('demo', ['u']))[0]?.length, 1);
  });

  test(`${name} routes: a sweep takes what is gone of that node, and tells of it`, async (t) => {
    const routes = await createRoutes(t);
    await routes.claim([
      route('a', { worker: 0 }),
      route('b', { worker: 1, uid: 'u' }),
      route('c', { worker: 1 }),
      { ...route('c', { worker: 1 }), app: 'other' },
      route('d', { worker: 1, incarnation: OTHER_NODE }),
    ]);
    const swept = (isGone: (route: Route) => boolean) => sweep(routes, NODE, isGone);
    const released = await swept(({ connection }) => connection.worker === 1);
    t.deepEqual(released.map(({ app, deviceId }) => `${app} ${deviceId}`).sort(), ['demo b', 'demo c', 'other c']);
    t.true(released.every(({ connection }) => connection.worker === 1 && connection.incarnation === NODE));
    t.deepEqual(await swept(({ connection }) => connection.worker === 1), []);
    const left = await routes.lookup(['a', 'b', 'c', 'd'].map(device));
    t.deepEqual(
      left.map((each) => each !== undefined),
      [true, false, false, true],
    );
    t.deepEqual(await routes.lookupUsers('demo', ['u']), [[]]);
    t.deepEqual((await routes.list({ limit: 10 })).routes.map(({ deviceId }) => deviceId).sort(), ['a', 'd']);
  });

  test(`${name} routes: a sweep of many spares what has logged in again meanwhile`, async (t) => {
    const routes = await createRoutes(t);
    const ids = Array.from({ length: 3_000 }, (_, i) => `d-${i}`);
    const claimed = await routes.claim(ids.map((id) => route(id)));
    const belowFence = Math.max(...claimed.map(({ fence }) => fence)) + 1;
    const parts: number[] = [];
    let again: Promise<unknown> | undefined;
    const seen = new Set<string>();
    await routes.sweep(
      NODE,
      ({ fence }) => fence < belowFence,
      (gone) => {
        parts.push(gone.length);
        for (const { deviceId } of gone) seen.add(deviceId);
        again ??= routes.claim(
          ids.map((id) => route(id, { serial: 2, incarnation: id.length > 4 ? NODE : OTHER_NODE })),
        );
      },
    );
    await again;
    t.true(Math.max(...parts) <= 20_000);
    const found = await routes.lookup(ids.map(device));
    t.true(
      found.every((each) => each?.connection.serial === 2),
      'new logins stay',
    );
    t.true(seen.size > 0);
  });

  test(`${name} routes: a release says what it removed`, async (t) => {
    const routes = await createRoutes(t);
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
    const routes = await createRoutes(t);
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
    await sweep(routes, NODE, () => true);
    t.deepEqual(await found('u2'), [[]]);
  });

  test(`${name} routes: pages hold every device once, whoever comes and goes meanwhile`, async (t) => {
    const routes = await createRoutes(t);
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
}

function route(deviceId: string, fields: RouteFields = {}): NewRoute {
  const { serial = 1, worker = 0, incarnation = NODE, grants = [1], uid } = fields;
  return { ...device(deviceId), connection: { incarnation, worker, serial }, grants, uid };
}

async function located(routes: RouteStore, deviceId: string): Promise<DeviceRoute[]> {
  const [found] = await routes.lookup([device(deviceId)]);
  return found === undefined ? [] : [{ ...device(deviceId), ...found }];
}

async function sweep(routes: RouteStore, incarnation: string, isGone: (route: Route) => boolean) {
  const released: DeviceRoute[] = [];
  await routes.sweep(incarnation, isGone, (part) => released.push(...part));
  return released;
}
