import test from 'ava';
import { decodeDeliveries, MULTICAST_INDEX, OutcomeCode, OutcomeWriter } from '../../actors/delivery-batch.js';
import { GroupNotFoundError, OverloadedError } from '../../actors/errors.js';
import RouterActor from '../../actors/router-actor.js';
import type { RouteClaim } from '../../actors/router-link.js';
import type { DeliveryResult, MembershipResult, PushMessage } from '../../actors/routing-service.js';
import { createEmbeddedEngine } from '../../cluster/engines/embedded/index.js';
import { CloseCode, decodeFrame, FrameDecoder } from '../../protocol/index.js';
import { turns } from '../support/until.js';

const INCARNATION = '4f1c2ab09d3e5f60';
const BUSINESS = 7;
const MESSAGE: PushMessage = { businessId: BUSINESS, messageId: 'm-1', metadata: {}, payload: Buffer.from('hi') };

interface Sent {
  readonly topic: string;
  readonly message: object;
}

/** An access worker that says what it is told to say. */
class FakeWorker {
  readonly sent: Sent[] = [];
  answer: (message: { serials: readonly number[] }) => Promise<{ results: MembershipResult[] }> = () =>
    new Promise(() => {});
  /** What is reported of every delivery, by the serial of its target. */
  outcome: ((serial: number) => OutcomeCode) | undefined = () => OutcomeCode.delivered;
  /** Members that a multicast reaches here. */
  members = 0;

  constructor(
    readonly index: number,
    readonly router: RouterActor,
  ) {
    router.attachWorker({ worker: index, port: this });
  }

  send(topic: string, message: object): Promise<void> {
    this.sent.push({ topic, message });
    if (topic === 'deliver') this.#report((message as { batch: Uint8Array }).batch);
    return Promise.resolve();
  }

  sendAndReceive(topic: string, message: object): Promise<unknown> {
    this.sent.push({ topic, message });
    return this.answer(message as { serials: number[] });
  }

  of(topic: string): object[] {
    return this.sent.filter((one) => one.topic === topic).map(({ message }) => message);
  }

  #report(batch: Uint8Array): void {
    if (this.outcome === undefined) return;
    const outcomes = new OutcomeWriter();
    for (const item of decodeDeliveries(batch)) {
      if (item.kind === 'multicast') {
        outcomes.add(item.pushId, MULTICAST_INDEX, this.outcome(0), this.members);
        continue;
      }
      item.serials.forEach((serial, i) => {
        outcomes.add(item.pushId, item.indexes[i] as number, this.outcome?.(serial) as OutcomeCode, 0);
      });
    }
    this.router.outcomes({ worker: this.index, outcomes: outcomes.take() });
  }
}

function routed({ maxPending = 100, workers = 2 } = {}) {
  let nowMs = 0;
  const results: DeliveryResult[] = [];
  const engine = createEmbeddedEngine();
  const router = new RouterActor({
    incarnation: INCARNATION,
    ...engine,
    maxPending,
    onError: (error) => {
      throw error;
    },
    now: () => nowMs,
    onResult: (result) => results.push(result),
  });
  const fakes = Array.from({ length: workers }, (_, index) => new FakeWorker(index, router)) as [
    FakeWorker,
    FakeWorker,
  ];
  const login = async (deviceId: string, worker: number, serial: number, own: Partial<RouteClaim> = {}) => {
    const claim = { serial, app: 'demo', deviceId, uid: undefined, grants: [BUSINESS], sinceMs: 5, ...own };
    const { fences } = await router.claimRoutes({ worker, claims: [claim] });
    return fences[0] as number;
  };
  const at = (ms: number) => {
    nowMs = ms;
  };
  return { router, engine, workers: fakes, login, at, results };
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
  const items = decodeDeliveries(batch?.batch as Uint8Array);
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
  const claims = [11, 12].map((serial) => ({ ...device('a'), serial, uid: undefined, grants: [BUSINESS], sinceMs: 0 }));
  const { fences } = await router.claimRoutes({ worker: 0, claims });
  t.true((fences[1] as number) > (fences[0] as number));
  t.like(workers[0].of('closeConnections')[0], { connections: [{ serial: 11, code: CloseCode.replaced }] });
});

test('router: a connection that claims its route anew replaces nobody', async (t) => {
  const { workers, login } = routed();
  const first = await login('a', 0, 11);
  const again = await login('a', 0, 11, { grants: [] });
  t.true(again > first);
  t.deepEqual(workers[0].sent, []);
});

test('router: the release of an older login does not take the newer route', async (t) => {
  const { router, login } = routed();
  const first = await login('a', 0, 11);
  const second = await login('a', 1, 12);
  await router.releaseRoutes({ releases: [{ ...device('a'), fence: first }] });
  t.like(await router.presence({ businessId: BUSINESS, devices: devices('a') }), [{ online: true }]);
  await router.releaseRoutes({ releases: [{ ...device('a'), fence: second }] });
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
  const [item] = decodeDeliveries(batch?.batch as Uint8Array);
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
