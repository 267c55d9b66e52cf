/** The policies file of a running node: replaced, broken, repaired. Over real files, and the embedded engine's state. */
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createEmbeddedEngine } from '../../../cluster/engines/embedded/index.js';
import { ConfigError, CurrentConfig, type NodeConfig } from '../../../config/index.js';
import { Policies } from '../../../control/policies/index.js';
import { captureLog } from '../../support/log-capture.js';
import { eventually } from '../../support/start-test-node.js';
import { dataDir } from '../../tokens/fixtures.js';
import { CONFIG } from '../fixtures.js';
import { subject } from './subject.js';

const one = (name: string, rest = '') =>
  `rollouts: { grow: { share: 10 } }\npolicies: [{ name: ${name}, set: {}${rest} }]\n`;
const BAD = 'policies: [{ name: bad, match: { rollout: nobody }, set: {} }]\n';

async function start(t: ExecutionContext, text: string, at = 'policies.yaml') {
  const dir = await dataDir(t);
  const file = join(dir, at);
  await writeFile(file, text);
  return { dir, ...(await open(t, dir, file)) };
}

async function open(t: ExecutionContext, dir: string, file: string) {
  const config: NodeConfig = { ...CONFIG, control: { ...CONFIG.control, policies: { file } } };
  const current = new CurrentConfig(config);
  const logs = captureLog();
  const policies = new Policies({ config: current, log: logs.log });
  const { controlState } = createEmbeddedEngine({ dataDir: join(dir, 'state') });
  await policies.open(controlState);
  t.teardown(() => policies.close());
  const names = () => policies.status().policies.map(({ name }) => name);
  return { file, config, current, policies, logs, controlState, names };
}

test('policies: a file that is written or replaced is in force without a restart', async (t) => {
  const { dir, file, policies, names, logs } = await start(t, one('a'));
  t.deepEqual(names(), ['a']);
  await writeFile(file, one('b'));
  await eventually(() => names()[0] === 'b');
  await writeFile(join(dir, 'next'), one('c'));
  await rename(join(dir, 'next'), file);
  await eventually(() => names()[0] === 'c');
  t.is(policies.status().refused, undefined);
  t.deepEqual(policies.figures().loads, { applied: 3, refused: 0 });
  t.true(logs.text().includes('policies in force'));
});

test('policies: a file behind a link that is turned is in force too', async (t) => {
  const dir = await dataDir(t);
  for (const version of ['1', '2']) {
    await mkdir(join(dir, version));
    await writeFile(join(dir, version, 'policies.yaml'), one(`v${version}`));
  }
  await symlink('1', join(dir, 'now'));
  await symlink('now/policies.yaml', join(dir, 'policies.yaml'));
  const { names } = await open(t, dir, join(dir, 'policies.yaml'));
  t.deepEqual(names(), ['v1']);
  await symlink('2', join(dir, 'next'));
  await rename(join(dir, 'next'), join(dir, 'now'));
  await eventually(() => names()[0] === 'v2');
});

test('policies: a bad file leaves the old ones in force and says so, until it is repaired', async (t) => {
  const { file, policies, names, logs } = await start(t, one('a'));
  await writeFile(file, BAD);
  await eventually(() => policies.status().refused !== undefined);
  t.deepEqual(names(), ['a']);
  const { refused } = policies.status();
  t.deepEqual(refused?.problems, [
    { path: 'policies[0].match.rollout', line: 1, message: 'must be one of rollouts, which has no "nobody"' },
  ]);
  t.true(policies.figures().isStale);
  t.is(policies.figures().loads.refused, 1);
  t.true(logs.entries.some(({ level, message }) => level === 'error' && message === 'policies not reloaded'));
  await rm(file);
  await eventually(() => policies.status().refused?.problems[0]?.message === 'cannot be read (ENOENT)');
  await writeFile(file, one('b'));
  await eventually(() => names()[0] === 'b');
  t.false(policies.figures().isStale);
  // As it was before, which is no change, but an end of the refusal.
  await writeFile(file, 'x');
  await eventually(() => policies.figures().isStale);
  await writeFile(file, one('b'));
  await eventually(() => !policies.figures().isStale);
});

test('policies: a node does not start with a bad file, or without the one it is to have', async (t) => {
  const dir = await dataDir(t);
  const file = join(dir, 'policies.yaml');
  await t.throwsAsync(open(t, dir, file), { instanceOf: ConfigError, message: /cannot be read \(ENOENT\)/ });
  await writeFile(file, BAD);
  await t.throwsAsync(open(t, dir, file), {
    instanceOf: ConfigError,
    message: /line 1, policies\[0\]\.match\.rollout/,
  });
  await writeFile(file, '#'.repeat(1024 * 1024 + 1));
  await t.throwsAsync(open(t, dir, file), { message: /has 1048577 bytes; at most 1048576 are read/ });
});

test('policies: a reload reads the file that the new configuration names, or changes nothing', async (t) => {
  const { dir, config, current, policies, names } = await start(t, one('a'));
  const next = join(dir, 'next.yaml');
  const nextConfig: NodeConfig = { ...config, control: { ...config.control, policies: { file: next } } };
  await writeFile(next, BAD);
  t.throws(() => policies.prepare(nextConfig), { instanceOf: ConfigError });
  t.deepEqual(names(), ['a']);
  await writeFile(next, one('b'));
  const apply = policies.prepare(nextConfig);
  t.deepEqual(names(), ['a']);
  current.replace(nextConfig);
  t.true(apply());
  t.deepEqual(names(), ['b']);
  t.false(policies.prepare(nextConfig)());
  await writeFile(next, one('c'));
  await eventually(() => names()[0] === 'c');
  t.true(policies.prepare({ ...config, control: { ...config.control, policies: { file: null } } })());
  t.deepEqual(names(), []);
});

test('policies: a reload that takes an app away is refused while a policy names it', async (t) => {
  const { config, policies } = await start(t, one('a', ', match: { app: shop }'));
  const { shop: _, ...apps } = config.apps;
  const error = t.throws(() => policies.prepare({ ...config, apps }), { instanceOf: ConfigError });
  t.regex(error.message, /policies\[0\]\.match\.app: the configuration has no app "shop"/);
});

test('rollouts: a share that was set stands over the file, is told to who listens, and outlives a restart', async (t) => {
  const { dir, file, policies } = await start(t, one('a', ', match: { rollout: grow }'));
  t.like(policies.rollouts()[0], { name: 'grow', share: 10, shareInFile: 10, set: undefined, policies: ['a'] });
  const before = Date.now();
  t.like(await policies.setRollout('grow', 25), { share: 25, set: { share: 25, before: 10, node: 'trunkline' } });
  t.true((policies.rollouts()[0]?.set?.atMs ?? 0) >= before);
  await policies.setRollout('grow', 0);
  t.like(policies.rollouts()[0], { share: 0, shareInFile: 10, set: { share: 0, before: 25 } });
  t.is(policies.figures().rollouts.get('grow'), 0);
  const again = await open(t, dir, file);
  t.like(again.policies.rollouts()[0], { share: 0, set: { share: 0, before: 25 } });
  await t.throwsAsync(policies.setRollout('nobody', 1), { code: 'TRK_UNKNOWN_ROLLOUT' });
});

test('rollouts: what another node or version keeps there is followed, or left alone', async (t) => {
  const { policies, controlState } = await start(t, one('a'));
  await controlState.write('rollout/grow', JSON.stringify({ share: 50, before: 10, atMs: 1, node: 'other' }));
  await eventually(() => policies.rollouts()[0]?.share === 50);
  await controlState.write('rollout/grow', '{"share":"all"}');
  await controlState.write('something else', 'x');
  await eventually(() => policies.rollouts()[0]?.share === 10);
  t.is(policies.rollouts().length, 1);
});

test('policies: decisions are counted per policy, and none when no one matched', async (t) => {
  const { policies } = await start(t, one('a', ', match: { app: shop }'));
  const decide = (app: string) => {
    const { nowMs: _now, shareOf: _share, ...who } = subject({ app });
    policies.count(policies.decide(who));
  };
  decide('shop');
  decide('shop');
  decide('chat');
  t.deepEqual(Object.fromEntries(policies.figures().decisions), { a: 2, none: 1 });
  t.deepEqual([...policies.status().policies], [{ name: 'a', decisions: 2 }]);
});

test('embedded control state: what the file may not hold stops the start', async (t) => {
  const dir = await dataDir(t);
  for (const text of ['', '[]', '{"texts":1}', '{"texts":{"a":1}}']) {
    await writeFile(join(dir, 'control.json'), text, { mode: 0o600 });
    const { controlState } = createEmbeddedEngine({ dataDir: dir });
    await t.throwsAsync(controlState.read(), { code: 'TRK_INVALID_CONTROL_STATE' }, text);
  }
});
