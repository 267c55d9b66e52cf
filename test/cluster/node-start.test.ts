/** Starting a real node: its tree, its addresses, and what is left when it cannot start. Serial: threads are counted. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { AddressUnavailableError } from '../../cluster/index.js';
import { canReusePort, resolveListeners } from '../../cluster/listen-addresses.js';
import type { NodeConfig } from '../../config/index.js';
import type { ActorTree } from '../support/start-comedy.js';
import { eventually, startTestNode, TEST_KEYS } from '../support/start-test-node.js';
import { isRunning, watchThreads } from '../support/watch-threads.js';

test.serial('node: its actor tree is the one that the architecture draws', async (t) => {
  const node = await startTestNode(t, { workers: 2 });
  const devices = await Promise.all(['ada', 'ben', 'cleo'].map((name) => node.rawDevice(name)));
  t.is(devices.length, 3);
  const client = await node.online('dora');
  await client.business('live').join('stage-1');
  const tree = (await node.handle.tree()) as ActorTree;
  t.is(tree.name, 'NodeActor');
  t.deepEqual(names(tree).toSorted(), [
    'AccessWorkerActor-0',
    'AccessWorkerActor-1',
    'BridgeActor',
    'ClusterActor',
    'ControlActor',
    'EventsActor',
    'RouterActor',
  ]);
  const workers = (tree.children ?? []).filter(({ name }) => name.startsWith('AccessWorkerActor'));
  const below = workers.flatMap(({ mode, children = [] }) => {
    t.is(mode, 'threaded');
    return children;
  });
  for (const protocol of ['tcp', 'ws']) {
    t.is(below.filter(({ name }) => name === `ListenerActor-${protocol}`).length, 2);
  }
  const grandchildren = (shard: RegExp) =>
    below.filter(({ name }) => shard.test(name)).flatMap(({ children = [] }) => children.map(({ name }) => name));
  t.deepEqual(grandchildren(/^ConnectionShardActor-\d+$/), Array(4).fill('ConnectionActor'));
  t.deepEqual(grandchildren(/^GroupShardActor-\d+$/), ['GroupActor']);
});

test.serial('node: a business with a back-end has its actor on every worker', async (t) => {
  const node = await startTestNode(t, { workers: 2, upstreamUrl: 'http://127.0.0.1:9' });
  const tree = (await node.handle.tree()) as ActorTree;
  const upstreams = (tree.children ?? []).flatMap(names).filter((name) => name.startsWith('UpstreamActor'));
  t.deepEqual(upstreams, ['UpstreamActor-im', 'UpstreamActor-im']);
});

test.serial('node: a port that is taken fails the start by name, and nothing is left running', async (t) => {
  const threads = watchThreads(t);
  const taken = await occupy(t);
  for (const protocol of ['tcp', 'ws'] as const) {
    const error = await t.throwsAsync(startTestNode(t, { access: { [protocol]: { port: taken } } }), {
      instanceOf: AddressUnavailableError,
      code: 'TRK_ADDRESS_UNAVAILABLE',
    });
    t.is((error as AddressUnavailableError).address, `127.0.0.1:${taken}`);
    t.regex((error as Error).message, /EADDRINUSE/);
  }
  t.is(threads.length, 0);
});

test.serial('node: a service that cannot listen fails the start, and threads and ports are let go', async (t) => {
  const threads = watchThreads(t);
  const taken = await occupy(t);
  const free = await occupy(t, true);
  await t.throwsAsync(startTestNode(t, { privatePort: taken, access: { tcp: { port: free } } }), {
    code: 'TRK_HTTP_LISTEN',
  });
  t.is(threads.length, 2);
  await eventually(() => !threads.some(isRunning));
  await t.throwsAsync(once(connect(free, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
});

test.serial('node: a second one on the same access port fails, and the first serves on', async (t) => {
  const first = await startTestNode(t, { workers: 1 });
  const port = Number(first.tcp.split(':')[1]);
  await t.throwsAsync(startTestNode(t, { access: { tcp: { port } } }), { instanceOf: AddressUnavailableError });
  t.is((await first.online('ada')).state, 'online');
  t.is((await first.call('GET', '/readyz')).status, 200);
});

test.serial('node: a protocol that is switched off has no address and no listener', async (t) => {
  const node = await startTestNode(t, { workers: 1, access: { ws: null } });
  t.is(node.handle.addresses.ws, undefined);
  t.regex(node.handle.addresses.tcp ?? '', /^127\.0\.0\.1:\d+$/);
  const tree = (await node.handle.tree()) as ActorTree;
  t.deepEqual(
    (tree.children ?? []).flatMap(names).filter((name) => name.startsWith('ListenerActor')),
    ['ListenerActor-tcp'],
  );
});

test.serial('node: what it advertises is told to clients instead of where it listens', async (t) => {
  const node = await startTestNode(t, { workers: 1, access: { tcp: { port: 0, advertise: 'link.example.com:443' } } });
  t.is(node.handle.addresses.tcp, 'link.example.com:443');
  const bootstrap = await fetch(`http://${node.handle.addresses.services['ControlActor']}/v1/bootstrap`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ app: 'demo', attributes: { platform: 'node' } }),
  });
  const { accessPoints } = (await bootstrap.json()) as { accessPoints: { tcp: string[] } };
  t.deepEqual(accessPoints.tcp, ['link.example.com:443']);
});

test.serial(
  'node: one connection more than it may hold is refused with a code that lets the client come back',
  async (t) => {
    const node = await startTestNode(t, { workers: 1, limits: { connections: 1 } });
    await node.rawDevice('ada');
    const second = await node.rawLink();
    const { token } = await node.issueToken('ben');
    t.is((await second.login(token)).status, 8);
    await second.ended;
    t.like(second.frames.at(-1), { code: 4004 });
    const answer = await node.call('GET', '/v1/apps/demo/devices/ben', { key: TEST_KEYS.im });
    t.false(answer.json.online);
  },
);

test('listen addresses: ports of the kernel differ, and are free again at once', async (t) => {
  const config = { access: { tcp: { host: '127.0.0.1', port: 0 }, ws: { host: '127.0.0.1', port: 0 } } };
  for (let i = 0; i < 20; i++) {
    const [tcp, ws] = await resolveListeners(config as unknown as NodeConfig);
    t.not(tcp?.port, ws?.port);
    t.true((tcp?.port ?? 0) > 0 && (ws?.port ?? 0) > 0);
  }
  const [tcp] = await resolveListeners(config as unknown as NodeConfig);
  const server = createServer().listen(tcp?.port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
});

test('listen addresses: this platform shares ports, and an address that is not ours cannot be had', async (t) => {
  t.true(await canReusePort('127.0.0.1'));
  t.false(await canReusePort('192.0.2.1'));
});

function names({ children = [] }: ActorTree): string[] {
  return children.map(({ name }) => name);
}

/** @returns a port that somebody listens on, or that somebody listened on a moment ago */
async function occupy(t: ExecutionContext, letGo = false): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise((resolve) => server.close(resolve));
  if (letGo) await close();
  else t.teardown(close);
  return port;
}
