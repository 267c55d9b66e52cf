import test, { type ExecutionContext } from 'ava';
import { EngineUnavailableError } from '../../actors/index.js';
import type { ServiceContext } from '../../cluster/index.js';
import { CurrentConfig, type NodeConfig, parseConfig } from '../../config/index.js';
import { createAdminExplainRoutes, createExplainRoutes, type Explanation, Policies } from '../../control/index.js';
import { createHttpServer, startHttpServer, stopHttpServer } from '../../http/index.js';
import { FakeRouting } from '../support/fake-routing.js';
import { CONFIG, expectProblem, FakeNode, leaseOf, silentLog } from './fixtures.js';

const ADMIN_KEY = 'admin-key-number-1';
const WITH_ADMIN: NodeConfig = { ...CONFIG, private: { ...CONFIG.private, adminKeys: [ADMIN_KEY] } };

async function start(t: ExecutionContext, config: NodeConfig = WITH_ADMIN) {
  const node = new FakeNode();
  const routing = new FakeRouting();
  const current = new CurrentConfig(config);
  const context: ServiceContext = { config, current, log: silentLog, routing, node };
  const policies = new Policies({ config: current, log: silentLog });
  const app = createHttpServer({ log: silentLog, maxBodyBytes: 1024 });
  await app.register(createExplainRoutes(context, policies));
  await app.register(createAdminExplainRoutes(context, policies));
  const url = `http://${await startHttpServer(app, { host: '127.0.0.1', port: 0 })}`;
  t.teardown(() => stopHttpServer(app));
  const get = (path: string, key: string) => fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  return {
    node,
    routing,
    ofDevice: (query = '', key = 'shop-app-key-number-1') => get(`/v1/apps/shop/devices/till%207/explain${query}`, key),
    asAdmin: (query = '', key = ADMIN_KEY) => get(`/v1/admin/explain${query}`, key),
  };
}

const explanationOf = async (response: Response) => (await response.json()) as Explanation;

test('explain: every node with its reason, each comparison, what came out', async (t) => {
  const { node, ofDevice } = await start(t);
  node.points = {};
  node.others = [
    leaseOf('b', { region: 'eu', load: 0.5, connections: 3 }),
    leaseOf('c', { region: 'eu' }),
    leaseOf('d', { region: 'eu', draining: true }),
  ];
  const response = await ofDevice('?platform=ios&region=eu&model=x');
  t.is(response.status, 200);
  const told = await explanationOf(response);
  t.deepEqual(told.attributes, { platform: 'ios', region: 'eu', model: 'x' });
  t.deepEqual(told.regions, { asked: 'eu', home: 'eu', by: 'hint', known: true, steps: [['eu']], chosen: ['eu'] });
  t.deepEqual(told.pools, { steps: ['default'], chosen: 'default', empty: [] });
  t.deepEqual(
    told.nodes.map(({ node: name, leftOut }) => [name, leftOut]),
    [
      ['own', 'no-protocol'],
      ['b', undefined],
      ['c', undefined],
      ['d', 'draining'],
    ],
  );
  t.deepEqual(told.nodes[1], {
    node: 'b',
    incarnation: 'incarnation-of-b',
    region: 'eu',
    pool: 'default',
    load: 0.5,
    connections: 3,
    connectionLimit: 1_000,
  });
  t.is(told.rounds.length, 2);
  t.deepEqual(told.rounds[0]?.compared.map(({ node: name }) => name).sort(), ['b', 'c']);
  t.deepEqual([told.rounds[0]?.taken.node, told.rounds[0]?.by], ['c', 'load']);
  t.deepEqual(told.answer, {
    accessPoints: { tcp: ['c:7100', 'b:7100'], ws: ['ws://c:7101/connect', 'ws://b:7101/connect'] },
    protocols: ['tcp', 'ws'],
    settings: {
      heartbeat: { intervalMs: 45_000, minMs: 30_000, maxMs: 180_000 },
      report: { share: 0, intervalMs: 300_000 },
    },
  });
  t.false('refused' in told);
});

test('explain: a refusal in place of an answer', async (t) => {
  const { node, ofDevice } = await start(t);
  node.ready = false;
  const told = await explanationOf(await ofDevice());
  t.deepEqual(told.refused, { code: 'TRK_NOT_READY', detail: 'no node takes devices now' });
  t.is(told.nodes[0]?.leftOut, 'not-ready');
  t.deepEqual([told.rounds, told.regions.chosen, told.answer], [[], [], undefined]);
});

test('explain: where the device is now', async (t) => {
  const { node, routing, ofDevice } = await start(t);
  node.others = [leaseOf('b', { incarnation: '4f1c2ab09d3e5f60', region: 'eu' })];
  t.deepEqual((await explanationOf(await ofDevice())).device, { app: 'shop', device: 'till 7', state: 'offline' });
  routing.online.set('till 7', { online: true, connectionId: '4f1c2ab09d3e5f60-1-1z', sinceMs: 5 });
  t.deepEqual((await explanationOf(await ofDevice())).device, {
    app: 'shop',
    device: 'till 7',
    state: 'online',
    connectionId: '4f1c2ab09d3e5f60-1-1z',
    sinceMs: 5,
    incarnation: '4f1c2ab09d3e5f60',
    node: 'b',
    region: 'eu',
  });
  // A node that has gone meanwhile has no name any more.
  node.others = [];
  const gone = (await explanationOf(await ofDevice())).device;
  t.deepEqual([gone?.state, gone?.incarnation, gone?.node], ['online', '4f1c2ab09d3e5f60', undefined]);
});

test('explain: an engine that is away leaves the choice to be explained', async (t) => {
  const { routing, ofDevice } = await start(t);
  routing.failure = new EngineUnavailableError(true);
  const told = await explanationOf(await ofDevice());
  t.deepEqual(told.device, { app: 'shop', device: 'till 7', state: 'unknown' });
  t.deepEqual(told.answer?.protocols, ['tcp', 'ws']);
});

test("explain: takes the app's key", async (t) => {
  const { ofDevice } = await start(t);
  await expectProblem(t, await ofDevice('', 'nobody-has-this-key'), 401, 'TRK_UNAUTHENTICATED');
  await expectProblem(t, await ofDevice('', ADMIN_KEY), 401, 'TRK_UNAUTHENTICATED');
  await expectProblem(t, await ofDevice('', 'chat-app-key-number-1'), 403, 'TRK_APP_NOT_SERVED');
  await expectProblem(t, await ofDevice('?region=a&region=b'), 400, 'TRK_INVALID_REQUEST');
});

test('explain: operators ask with or without a device, when there is an admin key', async (t) => {
  const { asAdmin } = await start(t);
  const choice = await explanationOf(await asAdmin('?region=default'));
  t.false('device' in choice);
  t.deepEqual(choice.attributes, { region: 'default' });
  const device = await explanationOf(await asAdmin('?app=shop&device=a&platform=web'));
  t.deepEqual([device.device?.device, device.answer?.protocols], ['a', ['ws']]);
  await expectProblem(t, await asAdmin('?device=a'), 400, 'TRK_INVALID_REQUEST');
  await expectProblem(t, await asAdmin('', 'shop-app-key-number-1'), 401, 'TRK_UNAUTHENTICATED');
  const without = await start(t, parseConfig('{ apps: { shop: { keys: [shop-app-key-number-1] } }, businesses: {} }'));
  await expectProblem(t, await without.asAdmin(), 404, 'TRK_NOT_FOUND');
});
