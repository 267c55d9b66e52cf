import test from 'ava';
import { ConfigError, environmentOverrides, flagOverride, type Override, parseConfig } from '../../config/index.js';

const FILE = `apps:
  my-shop: { keys: [app-key-0123456789] }
businesses:
  im:
    id: 1
    apps: [my-shop]
    keys: [im-key-0123456789]
access: { tcp: { port: 7000 } }
`;

function parse(env: Record<string, string>, flags: readonly string[] = [], text = FILE) {
  const overrides = [...environmentOverrides(env), ...flags.map((flag) => flagOverride(flag) as Override)];
  return parseConfig(text, { env, baseDir: '/srv', overrides });
}

function messageOf(env: Record<string, string>, flags: readonly string[] = []): string {
  try {
    parse(env, flags);
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

test('overrides: flags win over the environment, which wins over the file', (t) => {
  t.is(parse({}).access.tcp?.port, 7000);
  const env = { TRUNKLINE_ACCESS__TCP__PORT: '7001' };
  t.is(parse(env).access.tcp?.port, 7001);
  t.is(parse(env, ['access.tcp.port=7002']).access.tcp?.port, 7002);
  t.is(parse(env, ['access.tcp.port=7002', 'access.tcp.port=7003']).access.tcp?.port, 7003);
});

test('overrides: names are found whatever their capitals, dashes and underscores', (t) => {
  const config = parse({
    TRUNKLINE_NODE__LOGLEVEL: 'debug',
    TRUNKLINE_NODE__DRAIN_MS: '50',
    TRUNKLINE_LIMITS__CONNECTIONSPERIP: '7',
    TRUNKLINE_APPS__MY_SHOP__TOKENTTLMS: '1000',
  });
  t.is(config.node.logLevel, 'debug');
  t.is(config.node.drainMs, 50);
  t.is(config.limits.connectionsPerIp, 7);
  t.is(config.apps['my-shop']?.tokenTtlMs, 1_000);
});

test('overrides: each value is read as its setting wants it', (t) => {
  const config = parse(
    {
      TRUNKLINE_NODE__NAME: 'true',
      TRUNKLINE_ACCESS__WS: 'null',
      TRUNKLINE_BUSINESSES__IM__PUBLIC: 'true',
      TRUNKLINE_BUSINESSES__IM__KEYS: '[{ env: IM_KEY }]',
      IM_KEY: 'key-from-environment',
      TRUNKLINE_BUSINESSES__IM__UPSTREAM: '{ url: "http://127.0.0.1:1/", signingSecret: { env: SIGNING } }',
      TRUNKLINE_BUSINESSES__IM__UPSTREAM__CONCURRENCY: '3',
      SIGNING: '0123456789abcdef',
    },
    ['apps.my-shop.assertionSecret=00001234567890123', 'public.trustedProxies=10.0.0.0/8, 192.168.1.1'],
  );
  t.is(config.node.name, 'true');
  t.is(config.access.ws, null);
  t.true(config.businesses['im']?.public);
  t.deepEqual(config.businesses['im']?.keys, ['key-from-environment']);
  t.is(config.businesses['im']?.upstream?.signingSecret, '0123456789abcdef');
  t.is(config.businesses['im']?.upstream?.concurrency, 3);
  t.is(config.apps['my-shop']?.assertionSecret, '00001234567890123');
  t.deepEqual(config.public.trustedProxies, ['10.0.0.0/8', '192.168.1.1']);
});

test('overrides: an engine and its settings, in any order', (t) => {
  const config = parse(
    {
      TRUNKLINE_ENGINE__ADDRESSES: '10.0.0.1:6379,10.0.0.2:6379',
      TRUNKLINE_ENGINE__COMMAND_TIMEOUT_MS: '700',
      TRUNKLINE_ENGINE__MODE: 'cluster',
      TRUNKLINE_ENGINE__PASSWORD: 'short',
      TRUNKLINE_ENGINE__TYPE: 'redis',
    },
    [
      'node.roles=access,bridge',
      'node.region=eu',
      'control.regions={ eu: {} }',
      'control.regions.eu.domains.wss=a.b:443',
    ],
  );
  t.like(config.engine, { type: 'redis', mode: 'cluster', commandTimeoutMs: 700, password: 'short' });
  t.deepEqual(config.engine.type === 'redis' && config.engine.addresses, ['10.0.0.1:6379', '10.0.0.2:6379']);
  t.deepEqual(config.node.roles, ['access', 'bridge']);
  t.deepEqual(config.control.regions['eu']?.domains, { wss: 'a.b:443' });
  t.regex(
    messageOf({ TRUNKLINE_ENGINE__ADDRESS: 'x' }),
    /engine\.ADDRESS: there is no such setting; here can stand: type/,
  );
});

test('overrides: a new business needs no file', (t) => {
  const config = parse({
    TRUNKLINE_BUSINESSES__LIVE_TV__ID: '9',
    TRUNKLINE_BUSINESSES__LIVE_TV__APPS: 'my-shop',
    TRUNKLINE_BUSINESSES__LIVE_TV__KEYS: 'live-key-0123456789',
  });
  t.is(config.businesses['live-tv']?.id, 9);
});

test('overrides: variables of other uses are left alone', (t) => {
  t.deepEqual(environmentOverrides({ TRUNKLINE_URL: 'x', TRUNKLINE_KEY_FILE: 'y', OTHER__NODE: 'z', HOME: '/' }), []);
});

test('overrides: a wrong value names the variable or the flag', (t) => {
  t.is(
    messageOf({ TRUNKLINE_NODE__WORKERS: 'many' }),
    'configuration: 1 problem\n  environment variable TRUNKLINE_NODE__WORKERS, node.workers: must be a number',
  );
  t.regex(messageOf({}, ['node.logLevel=loud']), /--set node\.logLevel, node\.logLevel: must be one of: error/);
  t.regex(messageOf({ TRUNKLINE_ACCESS__TCP: '{ prot: 1 }' }), /TRUNKLINE_ACCESS__TCP, access\.tcp\.prot: there is no/);
  t.regex(
    messageOf({ TRUNKLINE_PRIVATE__PORT: '7000' }),
    /TRUNKLINE_PRIVATE__PORT, private\.port: must differ from access\.tcp\.port/,
  );
});

test('overrides: an unknown setting names what exists there, with every other problem', (t) => {
  const message = messageOf({ TRUNKLINE_NODE__WORKER: '2', TRUNKLINE_LIMITS__INFLIGHT: '0' }, ['node.name.first=x']);
  t.regex(message, /3 problems/);
  t.regex(
    message,
    /TRUNKLINE_NODE__WORKER, node\.WORKER: there is no such setting; here can stand: name, region, pool, roles, dataDir/,
  );
  t.regex(message, /TRUNKLINE_LIMITS__INFLIGHT, limits\.inFlight: must be at least 1/);
  t.regex(message, /--set node\.name\.first, node\.name\.first: there is no such setting$/m);
});

test('overrides: broken YAML and strange names are problems, not crashes', (t) => {
  t.regex(messageOf({}, ['access.tcp={']), /--set access\.tcp, access\.tcp: not valid YAML/);
  t.regex(messageOf({}, ['access.tcp=*none']), /not valid YAML/);
  t.regex(messageOf({}, ['__proto__.x=1']), /--set __proto__\.x.*there is no such setting/);
  t.regex(messageOf({}, ['apps.constructor.keys=key-0123456789abc']), /^$/);
});

test('overrides: a flag without a value is none', (t) => {
  t.is(flagOverride('node.workers'), undefined);
  t.is(flagOverride('=3'), undefined);
  t.deepEqual(flagOverride('node.name=a=b')?.text, 'a=b');
});
