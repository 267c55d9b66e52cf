import test, { type ExecutionContext } from 'ava';
import { decodeOutcomes, OutcomeCode } from '../../actors/outcome-batch.js';
import { PeerBatchWriter } from '../../actors/peer-batch.js';
import type { PushMessage } from '../../actors/routing-service.js';
import { CloseCode, decodeFrame, encodeFrame, FrameDecoder, FrameType, Status } from '../../protocol/index.js';
import { BUSINESS, engineAway, RouterCluster, type TestRouter } from '../support/router-cluster.js';
import { turns, until } from '../support/until.js';

const MESSAGE: PushMessage = { businessId: BUSINESS, messageId: 'm-1', metadata: {}, payload: Buffer.from('hi') };
const CALL = { businessId: BUSINESS, method: 'lamp.on', metadata: {}, payload: Buffer.from('?'), deadlineMs: 5_000 };

function device(deviceId: string) {
  return { app: 'demo', deviceId };
}

function devices(...ids: string[]) {
  return ids.map(device);
}

function pair(t: ExecutionContext) {
  const cluster = new RouterCluster(t, 2);
  const [here, there] = cluster.nodes as [TestRouter, TestRouter];
  return { cluster, here, there };
}

// ---- pushes

test('router of many nodes: a device of another node is pushed to, and its outcome comes back', async (t) => {
  const { cluster, here, there } = pair(t);
  await there.login('a', 11);
  t.deepEqual(await here.router.push({ devices: devices('a'), message: MESSAGE }), [{ result: 'delivered' }]);
  const [item] = there.workers[0].items;
  t.like(item, { kind: 'push', businessId: BUSINESS, serials: [11] });
  const [raw] = new FrameDecoder(1_000).decode(item?.kind === 'push' ? item.frame : new Uint8Array(0));
  t.like(raw && decodeFrame(raw), { messageId: 'm-1' });
  t.is(cluster.bus.sent.length, 2);
});

test('router of many nodes: a batch over two nodes and four workers has every result in its place', async (t) => {
  const { cluster, here, there } = pair(t);
  await here.login('a', 11);
  await here.login('b', 12, { worker: 1 });
  await there.login('c', 11);
  await there.login('d', 13);
  await there.login('e', 14, { worker: 1 });
  there.workers[0].outcome = (serial) => (serial === 13 ? OutcomeCode.slow : OutcomeCode.delivered);
  there.workers[1].outcome = () => OutcomeCode.expired;
  const results = await here.router.push({ devices: devices('e', 'nobody', 'd', 'a', 'c', 'b'), message: MESSAGE });
  t.deepEqual(results, [
    { result: 'expired' },
    { result: 'offline' },
    { result: 'dropped', reason: 'slow' },
    { result: 'delivered' },
    { result: 'delivered' },
    { result: 'delivered' },
  ]);
  t.is(cluster.bus.sent.filter(({ to }) => to === there.incarnation).length, 1);
});

test('router of many nodes: what one turn has for a node is one message, in order', async (t) => {
  const { cluster, here, there } = pair(t);
  await there.login('a', 11);
  const pushes = Array.from({ length: 50 }, (_, i) => {
    return { devices: devices('a'), message: { ...MESSAGE, messageId: `m-${i}` } };
  });
  await Promise.all(pushes.map((push) => here.router.push(push)));
  t.is(cluster.bus.sent.filter(({ to }) => to === there.incarnation).length, 1);
  const ids = there.workers[0].items.map((item) => {
    const [raw] = new FrameDecoder(1_000).decode(item.kind === 'push' ? item.frame : new Uint8Array(0));
    const frame = raw && decodeFrame(raw);
    return frame?.type === FrameType.push ? frame.messageId : '';
  });
  t.deepEqual(
    ids,
    pushes.map(({ message }) => message.messageId),
  );
});

test('router of many nodes: a time to live goes over as what is left of it', async (t) => {
  const { here, there } = pair(t);
  await there.login('a', 11);
  const before = Date.now();
  await here.router.push({ devices: devices('a'), message: { ...MESSAGE, ttlMs: 60_000 } });
  const [item] = there.workers[0].items;
  const expiresAtMs = item?.kind === 'push' ? item.expiresAtMs : 0;
  t.true(expiresAtMs >= before + 59_000 && expiresAtMs <= Date.now() + 60_000);
});

test('router of many nodes: users and broadcasts reach devices of all nodes', async (t) => {
  const { here, there } = pair(t);
  await here.login('phone', 11, { uid: 'ada' });
  await there.login('tablet', 12, { uid: 'ada' });
  const [ada] = await here.router.pushToUsers({ app: 'demo', uids: ['ada'], message: MESSAGE });
  t.deepEqual(ada?.devices.map(({ device: id, result }) => `${id} ${result}`).sort(), [
    'phone delivered',
    'tablet delivered',
  ]);
  const { devices: reached, results } = await there.router.broadcast({ app: 'demo', message: MESSAGE });
  t.is(reached, 2);
  t.is(results.delivered, 2);
  t.like(await here.router.locate({ devices: devices('tablet', 'nobody') }), [
    { deviceId: 'tablet', uid: 'ada', businesses: [BUSINESS] },
    undefined,
  ]);
});

// ---- pushes that do not arrive

test('router of many nodes: a node that nobody serves is offline, and found unreachable', async (t) => {
  const { cluster, here, there } = pair(t);
  await there.login('a', 11);
  await here.login('b', 11);
  cluster.bus.cut(there.incarnation);
  const results = await here.router.push({ devices: devices('a', 'b'), message: MESSAGE });
  t.deepEqual(results, [{ result: 'offline' }, { result: 'delivered' }]);
  t.deepEqual(cluster.unreachable, [there.incarnation]);
  const reply = await here.router.call({ device: device('a'), call: CALL });
  t.like(reply, { status: Status.unavailable, metadata: { 'trunkline-reason': 'offline' } });
});

test('router of many nodes: what never left this node is dropped as unreachable', async (t) => {
  const { cluster, here, there } = pair(t);
  await there.login('a', 11);
  cluster.bus.state = 'away';
  t.deepEqual(await here.router.push({ devices: devices('a'), message: MESSAGE }), [
    { result: 'dropped', reason: 'unreachable' },
  ]);
  const reply = await here.router.call({ device: device('a'), call: CALL });
  t.like(reply, { status: Status.unavailable, metadata: { 'trunkline-reason': 'unreachable' } });
  t.is(there.workers[0].items.length, 0);
});

test('router of many nodes: what may have left this node is unknown', async (t) => {
  const { cluster, here, there } = pair(t);
  await there.login('a', 11);
  cluster.bus.state = 'doubtful';
  t.deepEqual(await here.router.push({ devices: devices('a'), message: MESSAGE }), [{ result: 'unknown' }]);
  await turns();
  t.is(there.workers[0].items.length, 1);
});

test('router of many nodes: a node that took it and says nothing is unknown after two seconds', async (t) => {
  const { cluster, here, there } = pair(t);
  await there.login('a', 11);
  cluster.bus.state = 'lossy';
  const pushing = here.router.push({ devices: devices('a'), message: MESSAGE });
  await turns();
  cluster.at(2_000);
  t.deepEqual(await pushing, [{ result: 'unknown' }]);
});

test('router of many nodes: a node that is gone is offline at once, and what waited for it is unknown', async (t) => {
  const { cluster, here, there } = pair(t);
  await there.login('a', 11);
  await here.router.push({ devices: devices('a'), message: MESSAGE });
  cluster.at(500);
  await until(() => here.router.figures().pending === 0);
  there.workers[0].outcome = undefined;
  const pushing = here.router.push({ devices: devices('a'), message: MESSAGE });
  const calling = here.router.call({ device: device('a'), call: CALL });
  // Looked at once while it lives, and then again.
  await new Promise((resolve) => setTimeout(resolve, 150));
  cluster.gone.add(there.incarnation);
  cluster.at(1_100);
  t.deepEqual(await pushing, [{ result: 'unknown' }]);
  t.like(await calling, { status: Status.unavailable, metadata: { 'trunkline-reason': 'connection lost' } });
  t.deepEqual(await here.router.push({ devices: devices('a'), message: MESSAGE }), [{ result: 'offline' }]);
  t.deepEqual(await here.router.presence({ businessId: BUSINESS, devices: devices('a') }), [{ online: false }]);
});

test('router of many nodes: a worker that crashes there is unknown here at once', async (t) => {
  const { here, there } = pair(t);
  await there.login('a', 11);
  there.workers[0].outcome = undefined;
  const pushing = here.router.push({ devices: devices('a'), message: MESSAGE });
  const calling = here.router.call({ device: device('a'), call: CALL });
  await turns();
  await there.router.workerGone({ worker: 0 });
  t.deepEqual(await pushing, [{ result: 'unknown' }]);
  t.like(await calling, { status: Status.unavailable, metadata: { 'trunkline-reason': 'connection lost' } });
});

test('router of many nodes: a serial number of another run of a worker is offline there', async (t) => {
  const { cluster, here, there } = pair(t);
  const stale = 2 ** 32 + 5;
  const origin = here.incarnation;
  // Its route would be refused here already; so this is a message that was on its way when the worker restarted.
  const writer = new PeerBatchWriter(origin);
  const frame = encodeFrame({ type: FrameType.push, ...MESSAGE });
  const item = { kind: 'push', pushId: 9, businessId: BUSINESS, flags: 0, expiresAtMs: 0, frame } as const;
  writer.deliveries(0, [{ ...item, indexes: [0, 1], serials: [stale, 11] }], 0);
  cluster.bus.inject(there.incarnation, writer.finish());
  await turns();
  t.deepEqual(
    there.workers[0].items.map((one) => (one.kind === 'push' ? one.serials : [])),
    [[11]],
  );
});

test('router of many nodes: relayed pushes end after two seconds, whatever the worker says', async (t) => {
  const { cluster, here, there } = pair(t);
  await there.login('a', 11);
  there.workers[0].outcome = undefined;
  const pushing = here.router.push({ devices: devices('a'), message: MESSAGE });
  await turns();
  t.is(there.router.figures().pending, 1);
  cluster.at(2_000);
  t.deepEqual(await pushing, [{ result: 'unknown' }]);
  await until(() => there.router.figures().pending === 0);
});

test('router of many nodes: garbage from a peer is dropped whole, counted and logged once', async (t) => {
  const { cluster, here, there } = pair(t);
  await there.login('a', 11);
  const good = new PeerBatchWriter(here.incarnation);
  good.tell({
    worker: 0,
    topic: 'closeConnections',
    message: { connections: [{ serial: 11, code: 4506, reason: '' }] },
  });
  const whole = good.finish();
  const garbage = [
    new Uint8Array(0),
    Buffer.from('hello'),
    Buffer.concat([Buffer.from([2]), whole.subarray(1)]),
    whole.subarray(0, whole.length - 1),
    Buffer.concat([whole, Buffer.from([99, 0, 0, 0, 0, 0, 0])]),
    Buffer.concat([whole, Buffer.from([1, 0, 0, 0, 0, 0, 3, 1, 2, 3])]),
    Buffer.concat([whole, Buffer.from([2, 0, 0, 0, 0, 0, 3, 1, 2, 3])]),
    Buffer.concat([whole, Buffer.from([3, 0, 0, 0, 0, 0, 2, 1, 2])]),
    Buffer.concat([whole, Buffer.from([4, 0, 0, 0, 0, 0, 2]), Buffer.from('[]')]),
    Buffer.concat([whole, Buffer.from([5, 0, 0, 0, 0, 0, 2]), Buffer.from('{x')]),
    Buffer.concat([whole, Buffer.from([7, 0, 0, 0, 0, 0, 1, 1])]),
  ];
  for (const bytes of garbage) cluster.bus.inject(there.incarnation, bytes);
  await turns();
  t.is(there.router.figures().malformed, garbage.length);
  t.is(there.errors.length, 1);
  t.like(there.errors[0], { code: 'TRK_MALFORMED_PEER_MESSAGE' });
  t.is(there.workers[0].sent.length, 0);
  cluster.bus.inject(there.incarnation, whole);
  t.is(there.workers[0].of('closeConnections').length, 1);
});

test('router of many nodes: nobody may tell a worker what routers do not tell each other', async (t) => {
  const { cluster, there } = pair(t);
  for (const topic of ['start', 'revoke', 'deliver', 'closeAll']) {
    const writer = new PeerBatchWriter('00000000000000ff');
    writer.tell({ worker: 0, topic, message: { rules: [] } });
    cluster.bus.inject(there.incarnation, writer.finish());
  }
  t.is(there.router.figures().malformed, 4);
  t.deepEqual(there.workers[0].sent, []);
});

// ---- calls

test('router of many nodes: a call crosses over and its answer back, under ids of their own', async (t) => {
  const { here, there } = pair(t);
  await there.login('a', 11);
  await there.login('b', 12);
  const own = there.router.call({ device: device('b'), call: CALL });
  const calling = here.router.call({ device: device('a'), call: CALL });
  await turns();
  const { calls } = there.workers[0];
  t.is(calls.length, 2);
  t.not(calls[0]?.callId, calls[1]?.callId);
  for (const { callId, frame, serial } of calls) {
    const [raw] = new FrameDecoder(1_000).decode(frame);
    t.like(raw && decodeFrame(raw), { type: FrameType.request, requestId: callId, method: 'lamp.on' });
    const type = FrameType.response;
    const payload = Buffer.from(String(serial));
    const replies = encodeFrame({ type, requestId: callId, status: 0, metadata: {}, payload });
    there.router.callReplies({ worker: 0, replies });
  }
  t.is(Buffer.from((await calling).payload).toString(), '11');
  t.is(Buffer.from((await own).payload).toString(), '12');
  t.is(there.router.figures().pending, 0);
});

test('router of many nodes: a caller that gives up has the call cancelled where the device is', async (t) => {
  const { here, there } = pair(t);
  await there.login('a', 11);
  const aborter = new AbortController();
  const calling = here.router.call({ device: device('a'), call: { ...CALL, signal: aborter.signal } });
  await turns();
  aborter.abort();
  t.is((await calling).status, Status.cancelled);
  await turns();
  const [call] = there.workers[0].calls;
  t.deepEqual(
    there.workers[0].items.filter(({ kind }) => kind === 'cancel'),
    [{ kind: 'cancel', callId: call?.callId, serial: 11 }],
  );
});

// ---- routes

test('router of many nodes: a newer login on another node closes the older one there', async (t) => {
  const { here, there } = pair(t);
  await here.login('a', 11);
  await there.login('a', 12);
  await turns();
  t.deepEqual(here.workers[0].of('closeConnections'), [
    { connections: [{ serial: 11, code: CloseCode.replaced, reason: 'a newer login' }] },
  ]);
  t.deepEqual(
    there.events.map(({ type, code }) => [type, code]),
    [
      ['disconnected', CloseCode.replaced],
      ['connected', undefined],
    ],
  );
});

test('router of many nodes: kick and disconnect reach the node that has the device', async (t) => {
  const { here, there } = pair(t);
  await there.login('a', 11, { grants: [BUSINESS, 8] });
  t.true(await here.router.kick({ businessId: BUSINESS, device: device('a') }));
  t.true(await here.router.disconnect({ device: device('a') }));
  await turns();
  t.deepEqual(there.workers[0].of('revokeGrant'), [{ serial: 11, businessId: BUSINESS }]);
  t.like(there.workers[0].of('closeConnections')[0], { connections: [{ serial: 11, code: CloseCode.kicked }] });
});

test('router of many nodes: a close that did not arrive is sent again', async (t) => {
  const { cluster, here, there } = pair(t);
  await there.login('a', 11);
  cluster.bus.state = 'away';
  t.true(await here.router.disconnect({ device: device('a') }));
  await turns();
  cluster.bus.state = 'up';
  await until(() => there.workers[0].of('closeConnections').length === 1);
  t.pass();
});

test('router of many nodes: a gone node is swept below its fence, with an event for each of its devices', async (t) => {
  const { here, there } = pair(t);
  const old = await there.login('a', 11);
  const later = await there.login('b', 12);
  t.is(await here.router.sweep({ incarnation: there.incarnation, belowFence: later }), 1);
  t.like(here.events, [{ type: 'disconnected', deviceId: 'a', fence: old, code: 0 }]);
  t.like(await here.router.presence({ businessId: BUSINESS, devices: devices('a', 'b') }), [
    { online: false },
    { online: true },
  ]);
});

// ---- an engine that is away

test('router of many nodes: a claim that fails is an answer of its own', async (t) => {
  const { cluster, here } = pair(t);
  cluster.engineFault = engineAway();
  const claims = [{ serial: 11, ...device('a'), uid: undefined, grants: [BUSINESS] }];
  t.deepEqual(await here.router.claimRoutes({ worker: 0, claims }), { isEngineAway: true, mayHaveArrived: false });
  await t.throwsAsync(here.router.push({ devices: devices('a'), message: MESSAGE }), {
    code: 'TRK_ENGINE_UNAVAILABLE',
  });
});

test('router of many nodes: a claim that may have arrived is taken back when the engine is there again', async (t) => {
  const { cluster, here } = pair(t);
  cluster.engineFault = engineAway(true);
  t.is(await here.login('a', 11), -1);
  cluster.engineFault = undefined;
  t.truthy((await cluster.routes.lookup(devices('a')))[0]);
  await until(() => here.router.figures().backlog === 0);
  await turns();
  t.deepEqual(await cluster.routes.lookup(devices('a')), [undefined]);
});

test('router of many nodes: a release is made good when the engine is there again, with its event', async (t) => {
  const { cluster, here } = pair(t);
  const fence = await here.login('a', 11);
  cluster.engineFault = engineAway();
  await here.router.releaseRoutes({ releases: [{ ...device('a'), fence, code: CloseCode.normal }] });
  t.is(here.events.length, 1);
  cluster.engineFault = undefined;
  await until(() => here.events.length === 2);
  t.like(here.events[1], { type: 'disconnected', fence, code: CloseCode.normal });
});

test('router of many nodes: a token refresh is made good later, and closes a session that was replaced', async (t) => {
  const { cluster, here, there } = pair(t);
  const mine = await here.login('a', 11);
  const other = await here.login('b', 12);
  cluster.engineFault = engineAway();
  const routes = [
    { serial: 11, ...device('a'), uid: undefined, grants: [8], fence: mine },
    { serial: 12, ...device('b'), uid: undefined, grants: [8], fence: other },
  ];
  t.like(await here.router.restoreRoutes({ worker: 0, routes }), { isEngineAway: true });
  cluster.engineFault = undefined;
  await there.login('b', 20);
  await until(() => here.router.figures().backlog === 0);
  await turns();
  t.deepEqual((await cluster.routes.lookup(devices('a')))[0]?.grants, [8]);
  const closed = here.workers[0].of('closeConnections') as { connections: { serial: number }[] }[];
  t.true(closed.some(({ connections }) => connections[0]?.serial === 12));
  t.like((await cluster.routes.lookup(devices('b')))[0], { connection: { serial: 20 } });
});

test('router of many nodes: outcomes for a node go under the ids that it gave', async (t) => {
  const { cluster, here, there } = pair(t);
  await there.login('a', 11);
  await there.login('b', 12);
  await here.router.push({ devices: devices('nobody', 'b', 'a'), message: MESSAGE });
  const [back] = cluster.bus.sent.filter(({ to }) => to === here.incarnation);
  const outcomes = [...decodeOutcomes((back?.bytes ?? new Uint8Array(0)).subarray(16))];
  t.deepEqual(
    outcomes.map(({ index }) => index),
    [1, 2],
  );
});
