import test from 'ava';
import { EngineUnavailableError } from '../../actors/errors.js';
import { restateRoutes } from '../../actors/restate.js';
import { CloseCode, FrameType, Status } from '../../protocol/index.js';
import { connectFrame, MemoryClient, online } from '../support/memory-client.js';
import { createTestNode, type TestNode, tokenFor } from '../support/test-worker.js';
import { turns, until } from '../support/until.js';

const ELSEWHERE = { incarnation: '00000000000000bb', worker: 0, serial: 5 };

function device(deviceId: string) {
  return { app: 'demo', deviceId };
}

/** A login on another node, which this one has not heard of yet. */
function loginElsewhere({ engine }: TestNode, deviceId: string) {
  return engine.routes.claim([{ ...device(deviceId), connection: ELSEWHERE, grants: [1], uid: undefined }]);
}

async function routeOf({ engine }: TestNode, deviceId: string) {
  return (await engine.routes.lookup([device(deviceId)]))[0];
}

function away({ engine }: TestNode, method: 'claim' | 'restore'): () => void {
  const original = engine.routes[method];
  Object.assign(engine.routes, { [method]: () => Promise.reject(new EngineUnavailableError(false)) });
  return () => void Object.assign(engine.routes, { [method]: original });
}

test('session routes: a refresh with other grants changes the route under its own fence', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  const before = await routeOf(node, 'a');
  const token = tokenFor('a', { businesses: ['im'], uid: 'ada' });
  client.send({ type: FrameType.auth, requestId: 5, token });
  await turns();
  t.is(client.response(5)?.status, Status.ok);
  t.like(await routeOf(node, 'a'), { grants: [1], uid: 'ada', fence: before?.fence });
});

test('session routes: a refresh on a session that a newer login has replaced closes it, and evicts nobody', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  await loginElsewhere(node, 'a');
  client.send({ type: FrameType.auth, requestId: 5, token: tokenFor('a', { businesses: ['im'] }) });
  await turns();
  t.is(client.closeCode, CloseCode.replaced);
  t.like(await routeOf(node, 'a'), { connection: ELSEWHERE });
});

test('session routes: a refresh while the engine is away keeps the connection, and is made good', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  const back = away(node, 'restore');
  client.send({ type: FrameType.auth, requestId: 5, token: tokenFor('a', { businesses: ['im'] }) });
  await turns();
  t.is(client.response(5)?.status, Status.ok);
  t.is(client.transport.closed, undefined);
  back();
  await until(() => node.router.figures().backlog === 0);
  await turns();
  t.deepEqual((await routeOf(node, 'a'))?.grants, [1]);
});

test('session routes: a login while the engine is away is told to come back', async (t) => {
  const node = createTestNode();
  const back = away(node, 'claim');
  const client = new MemoryClient(node);
  client.send(connectFrame(tokenFor('a')));
  await turns();
  t.is(client.connack?.status, Status.unavailable);
  t.is(client.closeCode, CloseCode.overloaded);
  t.deepEqual([node.worker.sessions.size, node.actors.connections], [0, 0]);
  back();
  t.is((await online(node, 'a')).connack?.status, Status.ok);
});

test('session routes: what an engine has forgotten is restated part by part, under the old fences', async (t) => {
  const node = createTestNode({ limits: { requestsPerSecond: 10_000 } });
  const ids = Array.from({ length: 1_100 }, (_, i) => `d-${i}`);
  for (const id of ids) new MemoryClient(node).send(connectFrame(tokenFor(id)));
  await until(() => node.worker.counters.logins === ids.length);
  const before = await node.engine.routes.lookup(ids.map(device));
  await node.engine.routes.sweep(
    node.worker.incarnation,
    () => true,
    () => {},
  );
  const newer = await loginElsewhere(node, 'd-7');
  t.deepEqual(await node.router.restoreAll(), { restored: ids.length - 1, refused: 1 });
  const after = await node.engine.routes.lookup(ids.map(device));
  t.is(after[7]?.fence, newer[0]?.fence);
  const others = (_: unknown, i: number) => i !== 7;
  t.deepEqual(after.filter(others), before.filter(others));
  t.is(node.worker.counters.closes.get(CloseCode.replaced), 1);
});

test('session routes: a worker without sessions has nothing to restate', async (t) => {
  t.deepEqual(await restateRoutes(createTestNode().worker), { restored: 0, refused: 0 });
});
