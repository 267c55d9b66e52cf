import test from 'ava';
import { type CallItem, decodeDeliveries, type MulticastItem, type PushItem } from '../../actors/delivery-batch.js';
import { GroupNotFoundError, OverloadedError } from '../../actors/errors.js';
import { OutcomeCode } from '../../actors/outcome-batch.js';
import type { RouteEvent } from '../../actors/route-events.js';
import RouterActor from '../../actors/router-actor.js';
import type { ClaimReply, RouteClaim } from '../../actors/router-link.js';
import type { DeliveryResult, PushMessage } from '../../actors/routing-service.js';
import { createEmbeddedEngine } from '../../cluster/engines/embedded/index.js';
import { CloseCode, decodeFrame, encodeFrame, FrameDecoder, FrameType, Status } from '../../protocol/index.js';
import { FakeAccessWorker } from '../support/fake-access-worker.js';
import { NO_PEERS } from '../support/memory-bus.js';
import { turns } from '../support/until.js';

const INCARNATION = '4f1c2ab09d3e5f60';
const BUSINESS = 7;
const MESSAGE: PushMessage = { businessId: BUSINESS, messageId: 'm-1', metadata: {}, payload: Buffer.from('hi') };

function routed({ maxPending = 100, workers = 2 } = {}) {
  let nowMs = 0;
  const events: RouteEvent[] = [];
  const results: DeliveryResult[] = [];
  // Every login is in the fifth millisecond.
  const engine = createEmbeddedEngine({ clockUs: () => 5_000 });
  const router = new RouterActor({
    incarnation: INCARNATION,
    ...engine,
    peers: NO_PEERS,
    maxPending,
    onError: (error) => {
      throw error;
    },
    now: () => nowMs,
    epochMs: () => 1_000_000 + nowMs,
    onResult: (result) => results.push(result),
    onRoute: (event) => events.push(event),
  });
  void router.open();
  const fakes = Array.from({ length: workers }, (_, index) => new FakeAccessWorker(index, router)) as [
    FakeAccessWorker,
    FakeAccessWorker,
  ];
  const login = async (deviceId: string, worker: number, serial: number, own: Partial<RouteClaim> = {}) => {
    const claim = { serial, app: 'demo', deviceId, uid: undefined, grants: [BUSINESS], ...own };
    return (await fencesOf(router.claimRoutes({ worker, claims: [claim] })))[0] as number;
  };
  const refresh = async (deviceId: string, worker: number, serial: number, fence: number, own: Partial<RouteClaim>) => {
    const route = { serial, app: 'demo', deviceId, uid: undefined, grants: [BUSINESS], fence, ...own };
    const reply = await router.restoreRoutes({ worker, routes: [route] });
    return 'stands' in reply && reply.stands[0] === true;
  };
  const at = (ms: number) => {
    nowMs = ms;
  };
  return { router, engine, workers: fakes, login, refresh, at, results, events };
}

async function fencesOf(claiming: Promise<ClaimReply>): Promise<number[]> {
  const reply = await claiming;
  return 'fences' in reply ? reply.fences : [];
}

function device(deviceId: string) {
  return { app: 'demo', deviceId };
}

function devices(...ids: string[]) {
  return ids.map(device);
}

test('router: a push is one item a worker, with the frame once, and results stand in order', async (t) => {
  const { router, workers, login, results } = routed();
  await login('a', 0, 11);
  await login('b', 1, 12);
  await login('c', 0, 13);
  workers[0].outcome = (serial) => (serial === 13 ? OutcomeCode.slow : OutcomeCode.delivered);
  const answers = await router.push({ devices: devices('c', 'nobody', 'b', 'a'), message: MESSAGE });
  t.deepEqual(answers, [
    { result: 'dropped', reason: 'slow' },
    { result: 'offline' },
    { result: 'delivered' },
    { result: 'delivered' },
  ]);
  t.deepEqual(results, answers);
  const [batch] = workers[0].of('deliver') as { batch: Uint8Array }[];
  const items = decodeDeliveries(batch?.batch as Uint8Array) as PushItem[];
  t.is(items.length, 1);
  t.like(items[0], { kind: 'push', businessId: BUSINESS, indexes: [0, 3], serials: [13, 11] });
  const [raw] = new FrameDecoder(1_000).decode(items[0]?.frame as Uint8Array);
  t.like(raw && decodeFrame(raw), { messageId: 'm-1', businessId: BUSINESS });
});

test('router: the pushes of one turn leave in one batch', async (t) => {
  const { router, workers, login } = routed();
  await login('a', 0, 11);
  await Promise.all(Array.from({ length: 50 }, () => router.push({ devices: devices('a'), message: MESSAGE })));
  t.is(workers[0].of('deliver').length, 1);
});

test('router: a worker that says nothing makes its targets unknown', async (t) => {
  const { router, workers, login, at } = routed();
  await login('a', 0, 11);
  await login('b', 1, 12);
  workers[0].outcome = undefined;
  const pushing = router.push({ devices: devices('a', 'b'), message: MESSAGE });
  await turns();
  at(2_000);
  // The router's own timer alone would not keep the process.
  const keeper = setInterval(() => {}, 50);
  t.deepEqual(await pushing, [{ result: 'unknown' }, { result: 'delivered' }]);
  clearInterval(keeper);
});

test('router: a newer login replaces the older one, which its worker is told', async (t) => {
  const { router, workers, login } = routed();
  const first = await login('a', 0, 11);
  const second = await login('a', 1, 12);
  t.true(second > first);
  t.deepEqual(workers[0].of('closeConnections'), [
    { connections: [{ serial: 11, code: CloseCode.replaced, reason: 'a newer login' }] },
  ]);
  await router.push({ devices: devices('a'), message: MESSAGE });
  t.is(workers[0].of('deliver').length, 0);
  t.is(workers[1].of('deliver').length, 1);
});

test('router: two logins of one device in one batch leave the later one', async (t) => {
  const { router, workers } = routed();
  const claims = [11, 12].map((serial) => ({ ...device('a'), serial, uid: undefined, grants: [BUSINESS] }));
  const fences = await fencesOf(router.claimRoutes({ worker: 0, claims }));
  t.true((fences[1] as number) > (fences[0] as number));
  t.like(workers[0].of('closeConnections')[0], { connections: [{ serial: 11, code: CloseCode.replaced }] });
});

test('router: a token refresh changes its own route and replaces nobody', async (t) => {
  const { router, workers, login, refresh } = routed();
  const fence = await login('a', 0, 11);
  t.true(await refresh('a', 0, 11, fence, { grants: [8], uid: 'ada' }));
  t.deepEqual(workers[0].sent, []);
  t.deepEqual(await router.presence({ businessId: BUSINESS, devices: devices('a') }), [{ online: false }]);
  t.like(await router.presence({ businessId: 8, devices: devices('a') }), [{ online: true, uid: 'ada', sinceMs: 5 }]);
});

test('router: a token refresh of a session that was replaced changes nothing', async (t) => {
  const { router, workers, login, refresh } = routed();
  const first = await login('a', 0, 11);
  await login('a', 1, 12);
  t.false(await refresh('a', 0, 11, first, { grants: [8] }));
  t.is(workers[1].of('closeConnections').length, 0);
  t.like(await router.presence({ businessId: BUSINESS, devices: devices('a') }), [
    { online: true, connectionId: `${INCARNATION}-1-c` },
  ]);
});

test('router: the release of an older login does not take the newer route', async (t) => {
  const { router, login } = routed();
  const first = await login('a', 0, 11);
  const second = await login('a', 1, 12);
  await router.releaseRoutes({ releases: [{ ...device('a'), fence: first, code: 0 }] });
  t.like(await router.presence({ businessId: BUSINESS, devices: devices('a') }), [{ online: true }]);
  await router.releaseRoutes({ releases: [{ ...device('a'), fence: second, code: 0 }] });
  t.deepEqual(await router.presence({ businessId: BUSINESS, devices: devices('a') }), [{ online: false }]);
});

test('router: presence, pushes and kicks reach only devices that were granted the business', async (t) => {
  const { router, workers, login } = routed();
  await login('mine', 0, 11, { uid: 'u1' });
  await login('theirs', 0, 12, { grants: [8] });
  t.deepEqual(await router.presence({ businessId: BUSINESS, devices: devices('mine', 'theirs', 'nobody') }), [
    { online: true, connectionId: `${INCARNATION}-0-b`, uid: 'u1', sinceMs: 5 },
    { online: false },
    { online: false },
  ]);
  t.deepEqual(await router.push({ devices: devices('theirs'), message: MESSAGE }), [{ result: 'offline' }]);
  t.false(await router.kick({ businessId: BUSINESS, device: device('theirs') }));
  t.deepEqual(workers[0].sent, []);
});

test('router: a kick withdraws the grant, once, and tells the worker', async (t) => {
  const { router, workers, login } = routed();
  await login('a', 0, 11, { grants: [BUSINESS, 8] });
  t.true(await router.kick({ businessId: BUSINESS, device: device('a') }));
  t.deepEqual(workers[0].of('revokeGrant'), [{ serial: 11, businessId: BUSINESS }]);
  t.false(await router.kick({ businessId: BUSINESS, device: device('a') }));
  t.deepEqual(await router.presence({ businessId: BUSINESS, devices: devices('a') }), [{ online: false }]);
  t.like(await router.presence({ businessId: 8, devices: devices('a') }), [{ online: true }]);
});

test('router: disconnect closes the connection whatever it was granted', async (t) => {
  const { router, workers, login } = routed();
  await login('a', 1, 12, { grants: [] });
  t.true(await router.disconnect({ device: device('a') }));
  t.false(await router.disconnect({ device: device('nobody') }));
  t.like(workers[1].of('closeConnections')[0], { connections: [{ serial: 12, code: CloseCode.kicked }] });
});

test('router: too many unanswered pushes are overload, and nothing of them is sent', async (t) => {
  const { router, workers, login } = routed({ maxPending: 3 });
  await login('a', 0, 11);
  await login('b', 0, 12);
  workers[0].outcome = undefined;
  void router.push({ devices: devices('a', 'b'), message: MESSAGE });
  await turns();
  const error = await t.throwsAsync(router.push({ devices: devices('a', 'b'), message: MESSAGE }), {
    instanceOf: OverloadedError,
    code: 'TRK_OVERLOADED',
  });
  t.like(error, { pending: 2, limit: 3, retryable: true });
  await turns();
  t.is(workers[0].of('deliver').length, 1);
});

test('router: a worker that is gone takes its routes, its listeners and its answers with it', async (t) => {
  const { router, workers, login } = routed();
  await login('a', 0, 11);
  await login('b', 1, 12);
  await router.createGroup({ businessId: BUSINESS, group: 'room' });
  router.groupSizes({ worker: 0, sizes: [{ businessId: BUSINESS, group: 'room', members: 4 }] });
  workers[0].outcome = undefined;
  const pushing = router.push({ devices: devices('a', 'b'), message: MESSAGE });
  await turns();
  t.is(await router.workerGone({ worker: 0 }), 1);
  t.deepEqual(await pushing, [{ result: 'unknown' }, { result: 'delivered' }]);
  t.deepEqual(await router.presence({ businessId: BUSINESS, devices: devices('a', 'b') }), [
    { online: false },
    { online: true, connectionId: `${INCARNATION}-1-c`, uid: undefined, sinceMs: 5 },
  ]);
  t.is((await router.getGroup({ businessId: BUSINESS, group: 'room' }))?.members, 0);
  t.deepEqual(await router.multicast({ group: 'room', message: MESSAGE }), { offset: 1, members: 0, unanswered: 0 });
});

test('router: what a gone worker had sent before its end changes nothing any more', async (t) => {
  const { router, login } = routed();
  await login('a', 0, 11);
  await router.createGroup({ businessId: BUSINESS, group: 'room' });
  await router.workerGone({ worker: 0 });
  await t.throwsAsync(login('b', 0, 12), { message: 'access worker 0 is gone' });
  const listening = router.listenToGroup({ worker: 0, businessId: BUSINESS, group: 'room', create: false });
  await t.throwsAsync(listening, { message: 'access worker 0 is gone' });
  router.groupSizes({ worker: 0, sizes: [{ businessId: BUSINESS, group: 'room', members: 4 }] });
  t.is((await router.getGroup({ businessId: BUSINESS, group: 'room' }))?.members, 0);
  t.deepEqual(await router.presence({ businessId: BUSINESS, devices: devices('b') }), [{ online: false }]);
});

test('router: what a gone worker was still to be sent is not sent', async (t) => {
  const { router, workers, login } = routed();
  await login('a', 0, 11);
  const pushing = router.push({ devices: devices('a'), message: MESSAGE });
  await Promise.resolve();
  await Promise.resolve();
  await router.workerGone({ worker: 0 });
  t.deepEqual(await pushing, [{ result: 'unknown' }]);
  t.deepEqual(workers[0].of('deliver'), []);
});

test('router: a multicast is numbered and goes to the workers that listen, once each', async (t) => {
  const { router, workers } = routed();
  await router.createGroup({ businessId: BUSINESS, group: 'room' });
  const { stream } = await router.listenToGroup({ worker: 1, businessId: BUSINESS, group: 'room', create: false });
  t.is(stream?.offset, 0);
  router.groupSizes({ worker: 1, sizes: [{ businessId: BUSINESS, group: 'room', members: 3 }] });
  workers[1].members = 3;
  t.deepEqual(await router.multicast({ group: 'room', message: MESSAGE }), { offset: 1, members: 3, unanswered: 0 });
  t.deepEqual(await router.multicast({ group: 'room', message: MESSAGE }), { offset: 2, members: 3, unanswered: 0 });
  t.deepEqual(workers[0].of('deliver'), []);
  const [batch] = workers[1].of('deliver') as { batch: Uint8Array }[];
  const [item] = decodeDeliveries(batch?.batch as Uint8Array) as MulticastItem[];
  t.like(item, { kind: 'multicast', group: 'room', offset: 1 });
  const [raw] = new FrameDecoder(1_000).decode(item?.frame as Uint8Array);
  t.like(raw && decodeFrame(raw), { multicast: { group: 'room', offset: 1 } });
});

test('router: a worker that listens while a multicast is numbered gets it, or an offset behind it', async (t) => {
  const { router, workers } = routed();
  await router.createGroup({ businessId: BUSINESS, group: 'room' });
  const listening = router.listenToGroup({ worker: 0, businessId: BUSINESS, group: 'room', create: false });
  const publishing = router.multicast({ group: 'room', message: MESSAGE });
  const [{ stream }, { offset }] = await Promise.all([listening, publishing]);
  t.true(workers[0].of('deliver').length === 1 || (stream?.offset as number) >= offset);
});

test('router: a worker that no longer has members is left out', async (t) => {
  const { router, workers } = routed();
  await router.createGroup({ businessId: BUSINESS, group: 'room' });
  for (const members of [2, 0]) {
    router.groupSizes({ worker: 0, sizes: [{ businessId: BUSINESS, group: 'room', members }] });
  }
  await router.multicast({ group: 'room', message: MESSAGE });
  t.deepEqual(workers[0].of('deliver'), []);
});

test('router: a multicast says how many workers did not answer, and overload is an error', async (t) => {
  const { router, workers, at } = routed();
  await router.createGroup({ businessId: BUSINESS, group: 'room' });
  for (const worker of [0, 1]) {
    router.groupSizes({ worker, sizes: [{ businessId: BUSINESS, group: 'room', members: 1 }] });
  }
  workers[0].outcome = undefined;
  workers[1].members = 1;
  const publishing = router.multicast({ group: 'room', message: MESSAGE });
  await turns();
  at(2_000);
  const keeper = setInterval(() => {}, 50);
  t.deepEqual(await publishing, { offset: 1, members: 1, unanswered: 1 });
  clearInterval(keeper);
  for (const worker of workers) worker.outcome = () => OutcomeCode.overloaded;
  await t.throwsAsync(router.multicast({ group: 'room', message: MESSAGE }), { instanceOf: OverloadedError });
});

test('router: groups are made once, dissolved once, and what does not exist is an error', async (t) => {
  const { router, workers } = routed();
  const address = { businessId: BUSINESS, group: 'room' };
  t.true(await router.createGroup(address));
  t.false(await router.createGroup(address));
  t.like(await router.getGroup(address), { group: 'room', members: 0 });
  router.groupSizes({ worker: 1, sizes: [{ ...address, members: 3 }] });
  t.is((await router.getGroup(address))?.members, 3);
  t.true(await router.dissolveGroup(address));
  t.deepEqual(workers[1].of('dissolveGroup'), [address]);
  t.deepEqual(workers[0].of('dissolveGroup'), []);
  t.false(await router.dissolveGroup(address));
  t.is(await router.getGroup(address), undefined);
  const notFound = { instanceOf: GroupNotFoundError, code: 'TRK_GROUP_NOT_FOUND' };
  await t.throwsAsync(router.multicast({ group: 'room', message: MESSAGE }), notFound);
  await t.throwsAsync(router.joinGroup({ ...address, devices: devices('a') }), notFound);
  await t.throwsAsync(router.leaveGroup({ ...address, devices: devices('a') }), notFound);
});

test('router: a group of the same name in another business is another group', async (t) => {
  const { router } = routed();
  await router.createGroup({ businessId: BUSINESS, group: 'room' });
  t.is(await router.getGroup({ businessId: 8, group: 'room' }), undefined);
});

test('router: a worker asks for a group that is not there, or makes it', async (t) => {
  const { router } = routed();
  const ask = { worker: 0, businessId: BUSINESS, group: 'room' };
  t.deepEqual(await router.listenToGroup({ ...ask, create: false }), { stream: undefined });
  const { stream } = await router.listenToGroup({ ...ask, create: true });
  t.is(stream?.offset, 0);
  t.regex(stream?.epoch ?? '', /^[0-9a-f]+$/);
});

test('router: joins and leaves are asked of the workers, and results stand in order', async (t) => {
  const { router, workers, login } = routed();
  const address = { businessId: BUSINESS, group: 'room' };
  await router.createGroup(address);
  await login('a', 0, 11);
  await login('b', 1, 12);
  await login('c', 0, 13);
  await login('d', 0, 14, { grants: [8] });
  workers[0].answer = ({ serials }) =>
    Promise.resolve({ results: serials.map((serial) => (serial === 13 ? 'already-member' : 'joined')) });
  workers[1].answer = () => Promise.resolve({ results: ['too-many-groups'] });
  const results = await router.joinGroup({ ...address, devices: devices('c', 'd', 'b', 'nobody', 'a') });
  t.deepEqual(results, ['already-member', 'offline', 'too-many-groups', 'offline', 'joined']);
  t.like(workers[0].of('joinMembers')[0], { ...address, serials: [13, 11], stream: { offset: 0 } });
  workers[0].answer = () => Promise.resolve({ results: ['left'] });
  t.deepEqual(await router.leaveGroup({ ...address, devices: devices('a') }), ['left']);
  t.like(workers[0].of('removeMembers')[0], { ...address, serials: [11] });
});

test('router: a worker that fails or says nothing leaves its joins unknown', async (t) => {
  const { router, workers, login } = routed();
  const address = { businessId: BUSINESS, group: 'room' };
  await router.createGroup(address);
  await login('a', 0, 11);
  await login('b', 1, 12);
  workers[0].answer = () => Promise.reject(new Error('crashed'));
  const results = await router.joinGroup({ ...address, devices: devices('a', 'b') });
  t.deepEqual(results, ['unknown', 'unknown']);
});

// ---- options, many pushes, users, broadcast

function itemsOf(worker: FakeAccessWorker) {
  return (worker.of('deliver') as { batch: Uint8Array }[]).flatMap(({ batch }) => decodeDeliveries(batch));
}

test('router: options travel with a push and a multicast, a time to live as the moment it ends', async (t) => {
  const { router, workers, login } = routed();
  await login('a', 0, 11);
  const message: PushMessage = { ...MESSAGE, ttlMs: 500, priority: 'high', droppable: true };
  await router.push({ devices: devices('a'), message });
  await router.createGroup({ businessId: BUSINESS, group: 'room' });
  router.groupSizes({ worker: 0, sizes: [{ businessId: BUSINESS, group: 'room', members: 1 }] });
  await router.multicast({ group: 'room', message: { ...MESSAGE, priority: 'normal', droppable: true, ttlMs: 0 } });
  t.like(itemsOf(workers[0])[0], { kind: 'push', flags: 3, expiresAtMs: 1_000_500 });
  t.like(itemsOf(workers[0])[1], { kind: 'multicast', flags: 1, expiresAtMs: 0 });
});

test('router: what expired and what was shed is told as such, and leaves a multicast not unanswered', async (t) => {
  const { router, workers, login } = routed();
  await login('a', 0, 11);
  await login('b', 0, 12);
  workers[0].outcome = (serial) => (serial === 11 ? OutcomeCode.expired : OutcomeCode.shed);
  t.deepEqual(await router.push({ devices: devices('a', 'b'), message: MESSAGE }), [
    { result: 'expired' },
    { result: 'dropped', reason: 'overload' },
  ]);
  await router.createGroup({ businessId: BUSINESS, group: 'room' });
  router.groupSizes({ worker: 0, sizes: [{ businessId: BUSINESS, group: 'room', members: 1 }] });
  workers[0].outcome = () => OutcomeCode.expired;
  t.deepEqual(await router.multicast({ group: 'room', message: MESSAGE }), { offset: 1, members: 0, unanswered: 0 });
  workers[0].outcome = () => OutcomeCode.shed;
  t.deepEqual(await router.multicast({ group: 'room', message: MESSAGE }), { offset: 2, members: 0, unanswered: 1 });
});

test('router: many pushes are one question, with results each, in one batch and in order', async (t) => {
  const { router, workers, login } = routed();
  await login('a', 0, 11);
  await login('b', 1, 12);
  const push = (...ids: string[]) => ({ devices: devices(...ids), message: { ...MESSAGE, messageId: ids.join() } });
  const results = await router.pushMany({ pushes: [push('a'), push('b', 'nobody'), push('a'), push()] });
  t.deepEqual(results, [
    [{ result: 'delivered' }],
    [{ result: 'delivered' }, { result: 'offline' }],
    [{ result: 'delivered' }],
    [],
  ]);
  t.is(workers[0].of('deliver').length, 1);
  t.is(itemsOf(workers[0]).length, 2);
});

test('router: many pushes are refused as one', async (t) => {
  const { router, workers, login } = routed({ maxPending: 2 });
  await login('a', 0, 11);
  const pushes = [1, 2, 3].map(() => ({ devices: devices('a'), message: MESSAGE }));
  await t.throwsAsync(router.pushMany({ pushes }), { instanceOf: OverloadedError });
  await turns();
  t.deepEqual(workers[0].of('deliver'), []);
});

test('router: a user is reached on every device that was granted the business', async (t) => {
  const { router, login } = routed();
  await login('phone', 0, 11, { uid: 'ada' });
  await login('tablet', 1, 12, { uid: 'ada' });
  await login('tv', 1, 13, { uid: 'ada', grants: [8] });
  await login('other', 0, 14, { uid: 'ben' });
  await router.claimRoutes({
    worker: 0,
    claims: [{ serial: 15, app: 'elsewhere', deviceId: 'x', uid: 'ada', grants: [BUSINESS] }],
  });
  const deliveries = await router.pushToUsers({ app: 'demo', uids: ['ben', 'nobody', 'ada'], message: MESSAGE });
  t.deepEqual(
    deliveries.map(({ uid, devices: own }) => [uid, own.map(({ device: id, result }) => `${id} ${result}`).sort()]),
    [
      ['ben', ['other delivered']],
      ['nobody', []],
      ['ada', ['phone delivered', 'tablet delivered']],
    ],
  );
  const presences = await router.presenceOfUsers({ businessId: BUSINESS, app: 'demo', uids: ['ada', 'nobody'] });
  t.deepEqual(presences[0]?.devices.map(({ deviceId }) => deviceId).sort(), ['phone', 'tablet']);
  t.like(presences[0]?.devices[0], { online: true, uid: 'ada', sinceMs: 5 });
  t.deepEqual(presences[1], { uid: 'nobody', devices: [] });
});

test('router: a broadcast reaches every device of the app with the grant, and counts the results', async (t) => {
  const { router, workers } = routed({ maxPending: 5_000 });
  const claims = Array.from({ length: 2_500 }, (_, serial): RouteClaim => {
    const own = { app: serial % 50 === 0 ? 'other' : 'demo', grants: [serial % 5 === 0 ? 8 : BUSINESS] };
    return { serial, deviceId: `d-${serial}`, uid: undefined, ...own };
  });
  await router.claimRoutes({ worker: 0, claims: claims.slice(0, 1_000) });
  await router.claimRoutes({ worker: 1, claims: claims.slice(1_000) });
  workers[1].outcome = (serial) => (serial % 3 === 0 ? OutcomeCode.slow : OutcomeCode.delivered);
  const result = await router.broadcast({ app: 'demo', message: MESSAGE });
  const reached = claims.filter(({ app, grants }) => app === 'demo' && grants[0] === BUSINESS);
  const dropped = reached.filter(({ serial }) => serial >= 1_000 && serial % 3 === 0).length;
  t.deepEqual(result, {
    devices: reached.length,
    results: { delivered: reached.length - dropped, offline: 0, expired: 0, dropped, unknown: 0 },
  });
  t.is((await router.broadcast({ app: 'nowhere', message: MESSAGE })).devices, 0);
});

test('router: a broadcast that begins in overload is refused, one that meets it later waits', async (t) => {
  const { router, workers, at } = routed({ maxPending: 1_500 });
  const claims = Array.from({ length: 2_500 }, (_, serial) => {
    return { serial: serial + 1, ...device(`d-${serial}`), uid: undefined, grants: [BUSINESS] };
  });
  await router.claimRoutes({ worker: 0, claims });
  const broadcast = await router.broadcast({ app: 'demo', message: MESSAGE });
  t.is(broadcast.results.delivered, 2_500);
  workers[0].outcome = undefined;
  void router.push({ devices: claims.slice(0, 1_000).map(({ deviceId }) => device(deviceId)), message: MESSAGE });
  await turns();
  await t.throwsAsync(router.broadcast({ app: 'demo', message: MESSAGE }), { instanceOf: OverloadedError });
  at(2_000);
});

// ---- listings

test('router: groups and devices are listed page by page', async (t) => {
  const { router, login } = routed();
  const names = Array.from({ length: 25 }, (_, i) => `room-${i}`);
  for (const group of names) await router.createGroup({ businessId: BUSINESS, group });
  await router.createGroup({ businessId: 8, group: 'theirs' });
  router.groupSizes({ worker: 0, sizes: [{ businessId: BUSINESS, group: 'room-3', members: 4 }] });
  const groups: string[] = [];
  for (let after: string | undefined, pages = 0; pages === 0 || after !== undefined; pages++) {
    const page = await router.listGroups({ businessId: BUSINESS, page: { after, limit: 10 } });
    t.true(page.groups.length <= 10);
    for (const { group, members } of page.groups) {
      groups.push(group);
      t.is(members, group === 'room-3' ? 4 : 0);
    }
    after = page.next;
  }
  t.deepEqual(groups.toSorted(), names.toSorted());
  await login('a', 0, 11, { uid: 'ada' });
  await login('b', 1, 12);
  const { devices: listed, next } = await router.listDevices({ page: { limit: 1 } });
  const rest = await router.listDevices({ page: { after: next, limit: 5 } });
  t.is(rest.next, undefined);
  t.deepEqual(
    [...listed, ...rest.devices].toSorted((one, other) => (one.deviceId < other.deviceId ? -1 : 1)),
    [
      { ...device('a'), uid: 'ada', connectionId: `${INCARNATION}-0-b`, businesses: [BUSINESS], sinceMs: 5 },
      { ...device('b'), uid: undefined, connectionId: `${INCARNATION}-1-c`, businesses: [BUSINESS], sinceMs: 5 },
    ],
  );
});

// ---- route events

test('router: every connection is told when it takes a route and when it loses it, with why', async (t) => {
  const { router, login, events, at } = routed();
  const first = await login('a', 0, 11, { uid: 'ada', grants: [BUSINESS, 8] });
  at(10);
  const second = await login('a', 1, 12);
  await router.releaseRoutes({ releases: [{ ...device('a'), fence: first, code: CloseCode.replaced }] });
  await router.releaseRoutes({ releases: [{ ...device('a'), fence: second, code: CloseCode.heartbeatTimeout }] });
  t.deepEqual(
    events.map(({ type, fence, code, atMs }) => [type, fence, code, atMs]),
    [
      ['connected', first, undefined, 1_000_000],
      ['disconnected', first, CloseCode.replaced, 1_000_010],
      ['connected', second, undefined, 1_000_010],
      ['disconnected', second, CloseCode.heartbeatTimeout, 1_000_010],
    ],
  );
  t.like(events[0], { ...device('a'), uid: 'ada', connectionId: `${INCARNATION}-0-b`, businesses: [BUSINESS, 8] });
  t.like(events[1], { ...device('a'), uid: 'ada', connectionId: `${INCARNATION}-0-b`, businesses: [BUSINESS, 8] });
});

test('router: a token refresh is an event for the businesses that it adds or leaves out, and for no other', async (t) => {
  const { login, refresh, events } = routed();
  const fence = await login('a', 0, 11);
  await refresh('a', 0, 11, fence, { uid: 'ada' });
  t.is(events.length, 1);
  await refresh('a', 0, 11, fence, { uid: 'ada', grants: [8, 9] });
  t.is(events.length, 3);
  t.like(events[1], { type: 'disconnected', uid: 'ada', fence, businesses: [BUSINESS], code: CloseCode.kicked });
  t.like(events[2], { type: 'connected', uid: 'ada', fence, businesses: [8, 9] });
});

test('router: a kick is an event for the business that kicked, and the end is none for it any more', async (t) => {
  const { router, login, events } = routed();
  const fence = await login('a', 0, 11, { grants: [BUSINESS, 8] });
  t.true(await router.kick({ businessId: BUSINESS, device: device('a') }));
  t.false(await router.kick({ businessId: BUSINESS, device: device('a') }));
  t.is(events.length, 2);
  t.like(events[1], { type: 'disconnected', fence, businesses: [BUSINESS], code: CloseCode.kicked });
  await router.releaseRoutes({ releases: [{ ...device('a'), fence, code: CloseCode.normal }] });
  t.like(events[2], { type: 'disconnected', fence, businesses: [8], code: CloseCode.normal });
});

test('router: the end of a worker is an event for each of its devices', async (t) => {
  const { router, login, refresh, events } = routed();
  const fence = await login('a', 0, 11);
  await refresh('a', 0, 11, fence, { grants: [BUSINESS, 8] });
  await login('b', 1, 12);
  t.is(events.length, 3);
  await router.workerGone({ worker: 0 });
  t.is(events.length, 4);
  t.like(events[3], { type: 'disconnected', deviceId: 'a', fence, businesses: [BUSINESS, 8], code: 0 });
});

// ---- calls

const CALL = {
  businessId: BUSINESS,
  method: 'lamp.on',
  metadata: { k: 'v' },
  payload: Buffer.from('?'),
  deadlineMs: 5_000,
};

function reply(requestId: number, status: number, text: string) {
  return encodeFrame({ type: FrameType.response, requestId, status, metadata: { a: 'b' }, payload: Buffer.from(text) });
}

async function callsOf(worker: FakeAccessWorker): Promise<CallItem[]> {
  await turns(4);
  return itemsOf(worker).filter((item): item is CallItem => item.kind === 'call');
}

test('router: a call is a REQUEST with an id of the node, and its answer finds the caller', async (t) => {
  const { router, workers, login } = routed();
  await login('a', 0, 11);
  await login('b', 0, 12);
  const answers = ['a', 'b'].map((id) => router.call({ device: device(id), call: CALL }));
  const [first, second] = await callsOf(workers[0]);
  t.like(first, { businessId: BUSINESS, serial: 11 });
  const [raw] = new FrameDecoder(1_000).decode(first?.frame as Uint8Array);
  const frame = raw && decodeFrame(raw);
  t.like(frame, { type: FrameType.request, requestId: first?.callId, method: 'lamp.on', deadlineMs: 5_000 });
  t.not(first?.callId, second?.callId);
  const replies = [reply(second?.callId as number, 0, 'two'), reply(first?.callId as number, 7, 'one')];
  router.callReplies({ worker: 0, replies: Buffer.concat(replies) });
  const [one, two] = await Promise.all(answers);
  t.deepEqual([one?.status, { ...one?.metadata }, Buffer.from(one?.payload ?? []).toString()], [7, { a: 'b' }, 'one']);
  t.is(Buffer.from(two?.payload ?? []).toString(), 'two');
});

test('router: a call to a device that is away, or not granted the business, is unavailable at once', async (t) => {
  const { router, workers, login } = routed();
  await login('theirs', 0, 12, { grants: [8] });
  for (const id of ['nobody', 'theirs']) {
    const answer = await router.call({ device: device(id), call: CALL });
    t.is(answer.status, Status.unavailable);
    t.deepEqual(answer.metadata, { 'trunkline-reason': 'offline' });
  }
  t.deepEqual(await callsOf(workers[0]), []);
});

test('router: a deadline and a caller that gives up end a call, and the device is told', async (t) => {
  const { router, workers, login } = routed();
  await login('a', 0, 11);
  const late = await router.call({ device: device('a'), call: { ...CALL, deadlineMs: 10 } });
  t.is(late.status, Status.deadlineExceeded);
  const aborter = new AbortController();
  const given = router.call({ device: device('a'), call: { ...CALL, signal: aborter.signal } });
  await turns(2);
  aborter.abort();
  t.is((await given).status, Status.cancelled);
  t.is(
    (await router.call({ device: device('a'), call: { ...CALL, signal: aborter.signal } })).status,
    Status.cancelled,
  );
  const calls = await callsOf(workers[0]);
  t.is(calls.length, 2);
  t.deepEqual(
    itemsOf(workers[0]).filter(({ kind }) => kind === 'cancel'),
    calls.map(({ callId }) => ({ kind: 'cancel', callId, serial: 11 })),
  );
  router.callReplies({ worker: 0, replies: reply(calls[0]?.callId as number, 0, 'too late') });
});

test('router: only the worker that was asked answers a call, and its end ends the call', async (t) => {
  const { router, workers, login } = routed();
  await login('a', 0, 11);
  const calling = router.call({ device: device('a'), call: CALL });
  const [call] = await callsOf(workers[0]);
  router.callReplies({ worker: 1, replies: reply(call?.callId as number, 0, 'not mine') });
  await router.workerGone({ worker: 0 });
  t.like(await calling, { status: Status.unavailable, metadata: { 'trunkline-reason': 'connection lost' } });
});

test('router: calls that wait count as pushes that wait', async (t) => {
  const { router, login } = routed({ maxPending: 1 });
  await login('a', 0, 11);
  const aborter = new AbortController();
  const calling = router.call({ device: device('a'), call: { ...CALL, signal: aborter.signal } });
  await turns(2);
  await t.throwsAsync(router.call({ device: device('a'), call: CALL }), { instanceOf: OverloadedError });
  await t.throwsAsync(router.push({ devices: devices('a'), message: MESSAGE }), { instanceOf: OverloadedError });
  aborter.abort();
  await calling;
});
