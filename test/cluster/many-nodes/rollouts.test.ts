/** A rollout that grows and is taken back, on two real nodes with a Redis between them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { engineAt, eventually, PATIENT_MS, startRedis, TestCluster } from '../../support/test-cluster.js';

const POLICIES = `
rollouts: { grow: { share: 0 } }
policies:
  - { name: grow, match: { rollout: grow }, set: { features: { newCore: true } } }
`;

test.serial('rollouts: what an operator sets at one node decides at the other, and back in one call', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'policies.yaml');
  writeFileSync(file, POLICIES);
  const redis = await startRedis(t);
  const cluster = await TestCluster.start(t, {
    engine: { ...engineAt(redis.address), commandTimeoutMs: PATIENT_MS },
    size: 2,
    control: { policies: { file } },
  });
  const [near, far] = cluster.nodes as [(typeof cluster.nodes)[0], (typeof cluster.nodes)[0]];
  const decisionsAt = async (node: typeof near) => {
    const { json } = await node.callPublic('POST', '/v1/bootstrap', { body: { app: 'demo' } });
    return (json as { decisions?: string[] }).decisions?.join() ?? '';
  };
  t.is(await decisionsAt(far), '');

  const set = await near.admin('PUT', '/v1/admin/rollouts/grow', { share: 100 });
  t.is(set.status, 200);
  t.like(set.json, { name: 'grow', share: 100, shareInFile: 0, set: { share: 100, before: 0, node: 'node-1' } });
  t.is(await decisionsAt(near), 'grow');
  await eventually(async () => (await decisionsAt(far)) === 'grow');
  const { json } = await far.admin('GET', '/v1/admin/rollouts');
  t.like((json as { rollouts: object[] }).rollouts[0], { share: 100, set: { node: 'node-1' } });

  t.is((await far.admin('POST', '/v1/admin/rollouts/grow/back')).status, 200);
  t.is(await decisionsAt(far), '');
  await eventually(async () => (await decisionsAt(near)) === '');

  t.is((await near.admin('PUT', '/v1/admin/rollouts/nobody', { share: 1 })).status, 404);
  t.is((await near.admin('PUT', '/v1/admin/rollouts/grow', { share: 101 })).status, 400);
  t.is((await near.admin('PUT', '/v1/admin/rollouts/grow', {})).status, 400);

  writeFileSync(file, 'policies: [{ name: 1 }]\n');
  await eventually(async () => {
    const { json: status } = await far.admin('GET', '/v1/admin/policies');
    return (status as { refused?: { problems: object[] } }).refused !== undefined;
  });
  const metrics = (await far.call('GET', '/metrics')).text;
  t.regex(metrics, /^trunkline_policies_stale 1$/m);
  t.regex(metrics, /^trunkline_policy_loads_total\{outcome="refused"\} 1$/m);
  t.regex(metrics, /^trunkline_policy_decisions_total\{policy="grow"\} \d+$/m);
  t.regex(metrics, /^trunkline_policy_decisions_total\{policy="none"\} \d+$/m);
  t.regex(metrics, /^trunkline_rollout_share_percent\{rollout="grow"\} 0$/m);
});
