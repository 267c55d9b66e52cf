/** What policies do to the answer of a bootstrap, and that an explanation tells the same. Over real HTTP. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ServiceContext } from '../../../cluster/index.js';
import { CurrentConfig, type NodeConfig } from '../../../config/index.js';
import {
  type BootstrapAnswer,
  createAdminExplainRoutes,
  createExplainRoutes,
  createPolicyRoutes,
  type Explanation,
  Policies,
} from '../../../control/index.js';
import { createHttpServer, startHttpServer, stopHttpServer } from '../../../http/index.js';
import { FakeRouting } from '../../support/fake-routing.js';
import { dataDir } from '../../tokens/fixtures.js';
import { CONFIG, expectProblem, FakeNode, leaseOf, shopAssertion, silentLog, startControl } from '../fixtures.js';

const ADMIN_KEY = 'admin-key-number-1';

const POLICIES = `
rollouts: { half: { share: 50 } }
pools: { canary: { nodes: [edge-7] } }
policies:
  - name: office
    match: { region: eu }
    set: { features: { office: true }, racing: { delayMs: 100, maxParallel: 2 } }
  - name: half
    match: { rollout: half, app: shop }
    set: { pools: [canary], features: { newCore: true, office: false } }
  - name: live
    match: { business: live }
    set: { protocols: [ws, tcp], heartbeat: { minMs: 1000, maxMs: 2000 }, limits: { maxQueuedRequests: 5 }, report: { share: 0.5, intervalMs: 60000 } }
`;

async function configured(t: ExecutionContext, text = POLICIES): Promise<NodeConfig> {
  const file = join(await dataDir(t), 'policies.yaml');
  await writeFile(file, text);
  const regions = { eu: { fallback: [], domains: {}, cidrs: ['203.0.113.0/24'] } };
  return {
    ...CONFIG,
    public: { ...CONFIG.public, trustedProxies: ['127.0.0.1'] },
    private: { ...CONFIG.private, adminKeys: [ADMIN_KEY] },
    control: { ...CONFIG.control, regions, policies: { file } },
  };
}

const answerOf = async (response: Response) => (await response.json()) as BootstrapAnswer;

/** The private listener's part. */
async function startPrivate(t: ExecutionContext, config: NodeConfig, node = new FakeNode()) {
  const current = new CurrentConfig(config);
  const policies = new Policies({ config: current, log: silentLog });
  const context: ServiceContext = { config, current, log: silentLog, routing: new FakeRouting(), node };
  const app = createHttpServer({ log: silentLog, maxBodyBytes: 1024 });
  await app.register(createExplainRoutes(context, policies));
  await app.register(createAdminExplainRoutes(context, policies));
  await app.register(createPolicyRoutes(context, policies));
  const url = `http://${await startHttpServer(app, { host: '127.0.0.1', port: 0 })}`;
  t.teardown(() => stopHttpServer(app));
  const get = (path: string, key = ADMIN_KEY) =>
    fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}` } });
  return {
    get,
    explain: async (query: string) => (await (await get(`/v1/admin/explain?${query}`)).json()) as Explanation,
  };
}

test('policies: a device is told what the policies that match it give, and which those are', async (t) => {
  const { bootstrap, node } = await startControl(t, await configured(t));
  node.others = [leaseOf('b', { region: 'eu' })];
  const assertion = await shopAssertion({ businesses: ['live'] });
  const answer = await answerOf(await bootstrap({ app: 'shop', assertion, attributes: { region: 'eu' } }));
  t.deepEqual(answer.protocols, ['ws', 'tcp']);
  t.deepEqual(answer.heartbeat, { intervalMs: 2_000, minMs: 1_000, maxMs: 2_000 });
  t.deepEqual(answer.racing, { delayMs: 100, maxParallel: 2 });
  t.deepEqual(answer.limits, { maxQueuedRequests: 5 });
  t.deepEqual(answer.report, { share: 0.5, intervalMs: 60_000 });
  t.is(answer.features?.['office'], true);
  t.deepEqual([answer.decisions?.[0], answer.decisions?.at(-1)], ['office', 'live']);
  const other = await answerOf(await bootstrap({ app: 'chat' }));
  for (const field of ['racing', 'features', 'limits', 'decisions']) t.false(field in other, field);
  t.deepEqual(other.report, { share: 0, intervalMs: 300_000 });
});

test('policies: a stranger is judged by the id that it will have, so it gets the same the next time', async (t) => {
  const { bootstrap } = await startControl(t, await configured(t));
  const seen = new Set<boolean>();
  for (let i = 0; i < 24; i++) {
    const first = await answerOf(await bootstrap({ app: 'shop' }));
    const { deviceId, deviceSecret } = first;
    const again = await answerOf(await bootstrap({ app: 'shop', deviceId, deviceSecret }));
    t.deepEqual(again.decisions, first.decisions);
    seen.add(first.decisions?.includes('half') ?? false);
  }
  t.deepEqual([...seen].sort(), [false, true]);
});

test('policies: a pool has its clients, and when it is full they go to the next', async (t) => {
  const config = await configured(t, POLICIES.replace('share: 50', 'share: 100'));
  const { bootstrap, node } = await startControl(t, config);
  node.others = [leaseOf('edge-7')];
  t.deepEqual((await answerOf(await bootstrap({ app: 'shop' }))).accessPoints.tcp, ['edge-7:7100']);
  t.deepEqual((await answerOf(await bootstrap({ app: 'chat' }))).accessPoints.tcp, ['127.0.0.1:7100']);
  node.others = [leaseOf('edge-7', { connections: 1_000 })];
  t.deepEqual((await answerOf(await bootstrap({ app: 'shop' }))).accessPoints.tcp, ['127.0.0.1:7100']);
});

test('policies: the region is that of the address which a believed proxy tells', async (t) => {
  const { bootstrap } = await startControl(t, await configured(t));
  const from = async (address: string) => {
    const answer = await answerOf(await bootstrap({ app: 'chat' }, { 'x-forwarded-for': address }));
    return answer.decisions;
  };
  t.deepEqual(await from('203.0.113.9'), ['office']);
  t.is(await from('198.51.100.9'), undefined);
  const config = await configured(t);
  const doubting = await startControl(t, { ...config, public: { ...config.public, trustedProxies: [] } });
  const answer = await answerOf(await doubting.bootstrap({ app: 'chat' }, { 'x-forwarded-for': '203.0.113.9' }));
  t.is(answer.decisions, undefined);
});

test('explain: policies with the condition that failed, settings with their policy, pools with those that were empty', async (t) => {
  const config = await configured(t, POLICIES.replace('share: 50', 'share: 100'));
  const { explain } = await startPrivate(t, config);
  const told = await explain('app=shop&device=till-7&businesses=im,live&address=203.0.113.9');
  t.deepEqual(told.policies, [
    { policy: 'office', matched: true },
    { policy: 'half', matched: true },
    { policy: 'live', matched: true },
  ]);
  t.like(told.regions, { home: 'eu', by: 'address', known: false });
  t.deepEqual(told.pools, { steps: ['canary', 'default'], chosen: 'default', empty: ['canary'] });
  t.deepEqual(told.settings.map(({ setting, value, policy }) => [setting, value, policy]).slice(0, 4), [
    ['racing', { delayMs: 100, maxParallel: 2 }, 'office'],
    ['features.office', true, 'office'],
    ['pools', ['canary'], 'half'],
    ['features.newCore', true, 'half'],
  ]);
  t.deepEqual(told.answer?.settings.decisions, ['office', 'half', 'live']);
  const failed = (await explain('app=shop&device=till-7&businesses=im')).policies;
  t.deepEqual(failed[2], {
    policy: 'live',
    matched: false,
    failed: { condition: 'business', wanted: 'live', met: 'im' },
  });
  t.deepEqual(failed[0]?.failed, { condition: 'region', wanted: 'eu', met: 'default' });
  const nobody = (await explain('platform=ios')).policies;
  t.deepEqual(nobody[1]?.failed, { condition: 'app', wanted: 'shop', met: 'nothing' });
});

test('explain: tells of a bootstrap what the bootstrap does', async (t) => {
  const config = await configured(t);
  const { bootstrap } = await startControl(t, config);
  const { explain } = await startPrivate(t, config);
  for (let i = 0; i < 12; i++) {
    const {
      deviceId,
      deviceSecret: _s,
      token: _t,
      expiresAtMs: _e,
      app,
      businesses,
      retry: _r,
      ...answer
    } = await answerOf(await bootstrap({ app: 'shop' }));
    const told = (await explain(`app=${app}&device=${deviceId}&businesses=${businesses}`)).answer;
    t.deepEqual({ accessPoints: told?.accessPoints, protocols: told?.protocols, ...told?.settings }, answer);
  }
});

test('policies: operators are told what is in force; others are not', async (t) => {
  const { get } = await startPrivate(t, await configured(t));
  const status = (await (await get('/v1/admin/policies')).json()) as { policies: { name: string }[] };
  t.deepEqual(
    status.policies.map(({ name }) => name),
    ['office', 'half', 'live'],
  );
  const { rollouts } = (await (await get('/v1/admin/rollouts')).json()) as { rollouts: object[] };
  t.deepEqual(rollouts, [{ name: 'half', share: 50, shareInFile: 50, policies: ['half'] }]);
  for (const path of ['policies', 'rollouts']) {
    await expectProblem(t, await get(`/v1/admin/${path}`, 'shop-app-key-number-1'), 401, 'TRK_UNAUTHENTICATED');
  }
  const bare = await startPrivate(t, CONFIG);
  await expectProblem(t, await bare.get('/v1/admin/rollouts'), 404, 'TRK_NOT_FOUND');
});
