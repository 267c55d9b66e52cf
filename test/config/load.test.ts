import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ConfigError, loadConfig, parseConfig } from '../../config/index.js';

const MINIMAL = `
apps:
  shop:
    keys: [app-key-0123456789]
businesses:
  im:
    id: 1
    apps: [shop]
    keys: [im-key-0123456789]
`;

/** Two businesses, each line's number known to the tests. */
const TWO = `apps:
  shop: { keys: [app-key-0123456789] }
businesses:
  im:
    id: 1
    apps: [shop]
    keys: [im-key-0123456789]
    upstream: { url: "http://127.0.0.1:1/", signingSecret: 0123456789abcdef }
  live:
    id: 2
    apps: [shop]
    keys: [live-key-0123456789]
`;

/** `path line: message` per problem. */
function problemsIn(text: string, env: Record<string, string> = {}): string[] {
  try {
    parseConfig(text, { env, baseDir: '/nowhere' });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, line, message }) => `${path} ${line ?? '-'}: ${message}`);
  }
}

const problem = test.macro({
  exec(t, text: string, expected: string | RegExp) {
    const problems = problemsIn(text);
    t.is(problems.length, 1, problems.join('\n'));
    if (typeof expected === 'string') t.is(problems[0], expected);
    else t.regex(problems[0] ?? '', expected);
  },
  title: (name) => `parseConfig: ${name}`,
});

test('parseConfig: defaults fill what the file leaves out', (t) => {
  const config = parseConfig(MINIMAL, { baseDir: '/srv/trunkline' });
  t.is(config.access.tcp?.port, 7100);
  t.is(config.private.host, '127.0.0.1');
  t.is(config.node.dataDir, '/srv/trunkline/data');
  t.is(config.businesses['im']?.downstream.slowConsumer, 'disconnect');
  t.is(config.businesses['im']?.upstream, undefined);
});

test('parseConfig: the result is frozen all the way down', (t) => {
  const config = parseConfig(MINIMAL);
  t.true(Object.isFrozen(config));
  t.true(Object.isFrozen(config.businesses['im']?.downstream));
  t.true(Object.isFrozen(config.apps['shop']?.keys));
});

test('parseConfig: the error carries its code, every problem and the source', (t) => {
  const text = TWO.replace('id: 2', 'id: two').replace('    id: 1', '    id: 1\n    colour: red');
  const error = t.throws(() => parseConfig(text, { source: 'node.yaml' }), { instanceOf: ConfigError });
  t.is(error.code, 'TRK_CONFIG_INVALID');
  t.is(error.problems.length, 2);
  t.regex(error.message, /^node\.yaml: 2 problems\n {2}line 6, businesses\.im\.colour: there is no such setting/);
});

test('parseConfig: an empty file names the two maps that are missing', (t) => {
  t.deepEqual(problemsIn(''), ['apps -: is missing', 'businesses -: is missing']);
});

test(
  'an unknown setting is told with those that exist',
  problem,
  `${MINIMAL}limits: { conections: 5 }\n`,
  'limits.conections 10: there is no such setting; here can stand: connections, connectionsPerIp, acceptsPerSecond, handshakeMs, frameBytes, inFlight, requestsPerSecond, groups, pendingPushes',
);
test(
  'an unknown setting inside a business',
  problem,
  TWO.replace('id: 2', 'id: 2\n    downstreem: {}'),
  /^businesses\.live\.downstreem 11: there is no such setting; here can stand: id, apps, public,/,
);
test('broken YAML names the line', problem, `${MINIMAL}node: { name: a\n`, /^ 1[01]: not valid YAML: /);
test('a key given twice', problem, `${TWO}apps: {}\n`, /^ 13: not valid YAML: Map keys must be unique/);
test('an alias that names nothing', problem, `${TWO}node: *none\n`, /not valid YAML: /);
test(
  'a missing setting is placed at its parent',
  problem,
  TWO.replace('    id: 2\n', ''),
  'businesses.live.id 9: is missing',
);
test('a wrong type', problem, `${TWO}node: { drainMs: soon }\n`, 'node.drainMs 13: must be a number');
test(
  'a fraction where a whole number belongs',
  problem,
  `${TWO}node: { drainMs: 1.5 }\n`,
  'node.drainMs 13: must be a whole number',
);
test(
  'a number below its bound',
  problem,
  `${TWO}heartbeat: { intervalMs: 0 }\n`,
  'heartbeat.intervalMs 13: must be at least 1',
);
test('a number above its bound', problem, `${TWO}public: { port: 65536 }\n`, 'public.port 13: must be at most 65535');
test(
  'a word outside its list',
  problem,
  `${TWO}node: { logLevel: loud }\n`,
  'node.logLevel 13: must be one of: error, warn, info, debug',
);
test(
  'a bad name of a business',
  problem,
  TWO.replace('  live:', '  Live TV:'),
  /^businesses\.Live TV 9: the name must be a name: lower-case/,
);
test('a list where a map belongs', problem, `${TWO}limits: []\n`, 'limits 13: must be a map of settings');
test(
  'no keys',
  problem,
  TWO.replace('[live-key-0123456789]', '[]'),
  'businesses.live.keys 12: must be a list of at least 1',
);
test(
  'an upstream URL of another scheme',
  problem,
  TWO.replace('http://127.0.0.1:1/', 'ftp://127.0.0.1/'),
  'businesses.im.upstream.url 8: must be an http or https URL',
);
test(
  'an upstream URL with a password',
  problem,
  TWO.replace('http://127', 'http://me:secret@127'),
  /^businesses\.im\.upstream\.url 8: must not hold a user name or password/,
);
test(
  'a short secret is refused and never quoted',
  problem,
  TWO.replace('live-key-0123456789', 'hunter2'),
  'businesses.live.keys[0] 12: must have at least 16 characters',
);
test(
  'a secret that is no text and no reference',
  problem,
  TWO.replace('live-key-0123456789', '{ vault: x }'),
  'businesses.live.keys[0] 12: must be a secret of at least 16 characters, { file: PATH } or { env: NAME }',
);
test(
  'a business of an app that does not exist',
  problem,
  TWO.replace('apps: [shop]', 'apps: [shop, toys]'),
  'businesses.im.apps[1] 6: must be one of apps, which has no "toys"',
);
test(
  'two businesses with one id',
  problem,
  TWO.replace('id: 2', 'id: 1'),
  'businesses.live.id 10: must be unique: businesses.im has 1 as well',
);
test(
  'a key shared by an app and a business',
  problem,
  TWO.replace('live-key-0123456789', 'app-key-0123456789'),
  'businesses.live.keys[0] 12: must be unique: apps.shop.keys[0] has the same key',
);
test(
  'no access listener',
  problem,
  `${TWO}access: { tcp: null, ws: null }\n`,
  /^access 13: needs at least one listener/,
);
test(
  'two listeners on one port',
  problem,
  `${TWO}private: { port: 7200 }\n`,
  'private.port 13: must differ from public.port: both are 7200',
);
test(
  'one port on every address and on one',
  problem,
  `${TWO}private: { port: 7100, host: 0.0.0.0 }\n`,
  /^private\.port 13: must differ from access\.tcp/,
);
test(
  'an address to advertise without a port',
  problem,
  `${TWO}access: { ws: { advertise: link.example.com } }\n`,
  /^access\.ws\.advertise 13: must be host:port/,
);
test(
  'an origin with a path',
  problem,
  TWO.replace('{ keys: [app-key-0123456789] }', '{ keys: [app-key-0123456789], origins: ["https://a.example/x"] }'),
  /^apps\.shop\.origins\[0\] 2: must be a web origin/,
);
test(
  'a star inside a group pattern',
  problem,
  `${TWO}    groups: { open: ["a*b"] }\n`,
  /^businesses\.live\.groups\.open\[0\] 13: may have "\*" only/,
);
test(
  'retry bounds the wrong way round',
  problem,
  `${TWO}retry: { minMs: 9, maxMs: 8 }\n`,
  'retry.minMs 13: must be at most retry.maxMs (8)',
);

test('parseConfig: the same port on two addresses, or port 0 twice, is no clash', (t) => {
  t.deepEqual(problemsIn(`${TWO}private: { port: 7200, host: 127.0.0.2 }\n`), []);
  t.deepEqual(problemsIn(`${TWO}private: { port: 0 }\npublic: { port: 0 }\n`), []);
});

test('secrets: an environment variable is resolved and trimmed', (t) => {
  const text = MINIMAL.replace('im-key-0123456789', '{ env: IM_KEY }');
  const config = parseConfig(text, { env: { IM_KEY: ' 0123456789abcdef\n' } });
  t.deepEqual(config.businesses['im']?.keys, ['0123456789abcdef']);
});

test('secrets: one that is missing or short names the variable, never its value', (t) => {
  const text = MINIMAL.replace('im-key-0123456789', '{ env: IM_KEY }').replace(
    'app-key-0123456789',
    '{ env: APP_KEY }',
  );
  t.deepEqual(problemsIn(text, { APP_KEY: 'short' }), [
    'apps.shop.keys[0] 4: the environment variable APP_KEY holds 5 characters; a secret has at least 16',
    'businesses.im.keys[0] 9: the environment variable IM_KEY is not set',
  ]);
});

test('secrets: a file beside the configuration, unless every user may read it', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-config-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const secretFile = join(dir, 'im.key');
  writeFileSync(secretFile, 'from-a-file-0123456789\n', { mode: 0o600 });
  const configFile = join(dir, 'trunkline.yaml');
  writeFileSync(configFile, MINIMAL.replace('im-key-0123456789', '{ file: im.key }'));

  t.deepEqual(loadConfig(configFile).businesses['im']?.keys, ['from-a-file-0123456789']);
  t.is(loadConfig(configFile).node.dataDir, join(dir, 'data'));

  chmodSync(secretFile, 0o644);
  const error = t.throws(() => loadConfig(configFile), { instanceOf: ConfigError });
  t.regex(error.message, /line 9, businesses\.im\.keys\[0\]: the file .*im\.key is open to every user.*chmod 600/);
  rmSync(secretFile);
  t.throws(() => loadConfig(configFile), { instanceOf: ConfigError, message: /im\.key cannot be read \(ENOENT\)/ });
});

test('loadConfig: a file that is not there', (t) => {
  t.throws(() => loadConfig('/nowhere/trunkline.yaml'), {
    instanceOf: ConfigError,
    code: 'TRK_CONFIG_INVALID',
    message: '/nowhere/trunkline.yaml: 1 problem\n  cannot be read (ENOENT)',
  });
});

test('load: the policies file is a path and no secret, and starts at the folder of the configuration', (t) => {
  const text = 'apps: {}\nbusinesses: {}\ncontrol: { policies: { file: policies.yaml } }';
  t.is(parseConfig(text, { baseDir: '/srv' }).control.policies.file, '/srv/policies.yaml');
});
