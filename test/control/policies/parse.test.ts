import { readFileSync } from 'node:fs';
import test from 'ava';
import { ConfigError } from '../../../config/index.js';
import { type KnownNames, parsePolicies } from '../../../control/policies/parse.js';

const problemsOf = (text: string, known?: KnownNames): string[] => {
  try {
    parsePolicies(text, 'p.yaml', known);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, line, message }) => `${line} ${path}: ${message}`);
  }
};
const policy = (rest: string): string => `policies:\n  - name: a\n${rest}`;

test('policies file: the sample has no problem, and an empty file is no policy', (t) => {
  const set = parsePolicies(readFileSync('config/policies.sample.yaml', 'utf8'), 'sample');
  t.deepEqual([...set.names], ['new-core', 'cellular', 'launch-day']);
  t.deepEqual([...set.rollouts], [['new-core', 1]]);
  t.deepEqual([...set.pools], [['edge-7', 'canary']]);
  t.deepEqual([...(set.followers.get('new-core') ?? [])], ['new-core']);
  t.deepEqual([...parsePolicies('', 'empty').names], []);
});

test('policies file: what is not YAML is told with its line', (t) => {
  t.regex(problemsOf('policies:\n  - name: "a')[0] ?? '', /^\d .*not valid YAML/);
});

const wrong = test.macro({
  exec: (t, text: string, expected: RegExp) => {
    t.regex(problemsOf(text).join('\n'), expected);
  },
  title: (name) => `policies file: ${name} is refused, with field and line`,
});

test(
  'an unknown setting',
  wrong,
  policy('    set: {}\n    match: { ap: shop }'),
  /^4 policies\[0\]\.match\.ap: there is no such setting; here can stand: app, /,
);
test('a policy without a name', wrong, 'policies:\n  - set: {}', /^2 policies\[0\]\.name: is missing/);
test('a policy that sets nothing', wrong, policy(''), /policies\[0\]\.set: is missing/);
test('a name in another form', wrong, 'policies:\n  - { name: A b, set: {} }', /policies\[0\]\.name: must be a name/);
test(
  'a name twice',
  wrong,
  'policies:\n  - { name: a, set: {} }\n  - { name: a, set: {} }',
  /^3 policies\[1\]\.name: names "a" a second time/,
);
test('the name that stands for no policy', wrong, 'policies:\n  - { name: none, set: {} }', /must not be "none"/);
test(
  'a range that is none',
  wrong,
  policy('    set: {}\n    match: { appVersion: "five" }'),
  /^4 policies\[0\]\.match\.appVersion: must be a range/,
);
test(
  'a version that is a number',
  wrong,
  policy('    set: {}\n    match: { appVersion: 5 }'),
  /appVersion: must be a text \(put it in quotes\)/,
);
test(
  'a time without an offset',
  wrong,
  policy('    set: {}\n    match: { from: "2027-01-31T08:00:00" }'),
  /match\.from: .*offset/,
);
test(
  'a window that ends before it begins',
  wrong,
  policy('    set: {}\n    match: { from: "2027-01-31T08:00:00Z", until: "2027-01-31T08:00:00+01:00" }'),
  /match\.until: must be later than from/,
);
test(
  'a share beyond all',
  wrong,
  policy('    set: {}\n    match: { share: 101 }'),
  /match\.share: must be at most 100/,
);
test(
  'an unknown rollout',
  wrong,
  policy('    set: {}\n    match: { rollout: x }'),
  /match\.rollout: must be one of rollouts, which has no "x"/,
);
test(
  'a protocol that nobody speaks',
  wrong,
  policy('    set: { protocols: [smoke] }'),
  /set\.protocols\[0\]: must be one of: /,
);
test('a protocol twice', wrong, policy('    set: { protocols: [tcp, tcp] }'), /set\.protocols: names one twice/);
test(
  'bounds of a heartbeat the wrong way round',
  wrong,
  policy('    set: { heartbeat: { minMs: 2, maxMs: 1 } }'),
  /set\.heartbeat\.minMs: must be at most maxMs \(1\)/,
);
test(
  'an interval outside of its bounds',
  wrong,
  policy('    set: { heartbeat: { intervalMs: 9, minMs: 1, maxMs: 2 } }'),
  /heartbeat\.intervalMs: must be from minMs to maxMs/,
);
test(
  'a feature that is a list',
  wrong,
  policy('    set: { features: { a: [1] } }'),
  /set\.features\.a: must be a text, a number, true or false/,
);
test('an unknown limit', wrong, policy('    set: { limits: { x: 1 } }'), /set\.limits/);
test(
  'a share of reports beyond all',
  wrong,
  policy('    set: { report: { share: 2, intervalMs: 1000 } }'),
  /set\.report\.share: must be at most 1/,
);
test(
  'a node in two pools',
  wrong,
  'pools:\n  a: { nodes: [n] }\n  b: { nodes: [n] }',
  /^3 pools\.b\.nodes\[0\]: node "n" stands in "a" already/,
);

test('policies file: every problem is told at once, and names are held against the configuration', (t) => {
  const text = policy('    set: { racing: { delayMs: -1, maxParallel: 1 }, protocols: [smoke] }');
  t.is(problemsOf(text).length, 2);
  const known = { apps: { shop: {} }, businesses: { im: {} } } as unknown as KnownNames;
  const named = policy('    set: {}\n    match: { app: [shop, constructor], business: live }');
  t.deepEqual(problemsOf(named, known), [
    '4 policies[0].match.app: the configuration has no app "constructor"',
    '4 policies[0].match.business: the configuration has no business "live"',
  ]);
  t.deepEqual(problemsOf(named), []);
});
