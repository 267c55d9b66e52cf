import { readFileSync } from 'node:fs';
import test from 'ava';
import { z } from 'zod';
import { configSchema, parseConfig } from '../../config/index.js';

const text = readFileSync('config/trunkline.sample.yaml', 'utf8');
const env = Object.fromEntries(
  [...text.matchAll(/env: ([A-Z_]+)/g)].map(([, name]) => [name as string, `value-of-${name}-0123456789`]),
);

test('sample: loads without a problem', (t) => {
  const config = parseConfig(text, { env });
  t.deepEqual(Object.keys(config.businesses), ['im', 'live']);
  t.is(config.businesses['im']?.upstream?.signingSecret, 'value-of-IM_SIGNING_SECRET-0123456789');
});

test('sample: holds no secret, only references', (t) => {
  t.true(Object.keys(env).length >= 5);
  for (const [, value] of text.matchAll(/(?:signingSecret|assertionSecret): (\S+)/g)) t.is(value, '{');
});

test('sample: the values it gives as defaults are the defaults', (t) => {
  const config = parseConfig(text, { env, baseDir: '/srv' });
  const bare = parseConfig(
    'apps: { shop: { keys: [app-key-0123456789] } }\n' +
      'businesses: { im: { id: 1, apps: [shop], keys: [im-key-0123456789], ' +
      'upstream: { url: "http://127.0.0.1:8081/trunkline", signingSecret: 0123456789abcdef } } }',
    { baseDir: '/srv' },
  );
  t.deepEqual(config.node, bare.node);
  t.deepEqual(config.engine, bare.engine);
  t.deepEqual(config.cluster, bare.cluster);
  t.deepEqual(config.control, bare.control);
  t.deepEqual(config.limits, bare.limits);
  t.deepEqual(config.heartbeat, bare.heartbeat);
  t.deepEqual(config.report, bare.report);
  t.deepEqual(config.retry, bare.retry);
  t.deepEqual(config.public, bare.public);
  t.deepEqual(config.private, bare.private);
  t.deepEqual(config.access.ws, bare.access.ws);
  t.is(config.apps['shop']?.tokenTtlMs, bare.apps['shop']?.tokenTtlMs);
  const { im } = config.businesses;
  t.deepEqual(im?.downstream, bare.businesses['im']?.downstream);
  t.deepEqual(im?.groups, bare.businesses['im']?.groups);
  t.deepEqual({ ...im?.upstream, signingSecret: '' }, { ...bare.businesses['im']?.upstream, signingSecret: '' });
});

test('sample: what it says of Redis and regions holds when it is switched on', (t) => {
  const block = (from: string, to: string) => text.slice(text.indexOf(from), text.indexOf(to));
  const redis = block('engine:\n', '\ncluster:').replace('  type: embedded\n', '').replaceAll('  # ', '  ');
  const regions = block('  regions: {}', '\n# Any setting').replace(/.*\n/, '').replaceAll('  # ', '  ');
  const on = text
    .replace(block('engine:\n', '\ncluster:'), redis)
    .replace(block('  regions: {}', '\n# Any setting'), regions)
    .replace('region: default', 'region: eu');
  const { engine, control } = parseConfig(on, {
    env: { ...env, TRUNKLINE_REDIS_PASSWORD: 'short', TRUNKLINE_SENTINEL_PASSWORD: 'too' },
  });
  t.deepEqual(engine, {
    type: 'redis',
    mode: 'standalone',
    addresses: ['127.0.0.1:6379'],
    sentinelName: 'mymaster',
    sentinelPassword: 'too',
    username: 'trunkline',
    password: 'short',
    tls: false,
    prefix: 'trk',
    connectTimeoutMs: 5_000,
    commandTimeoutMs: 1_000,
  });
  t.deepEqual(control.regions, {
    eu: { fallback: ['us'], domains: { wss: 'eu.example.com:443' }, cidrs: ['192.0.2.0/24'] },
    us: { fallback: [], domains: {}, cidrs: [] },
  });
});

test('sample: names every setting of the schema', (t) => {
  for (const name of settingNames(configSchema)) t.regex(text, new RegExp(`\\b${name}:`), name);
});

/** Names of all settings anywhere in the schema. */
function settingNames(schema: z.core.$ZodType): string[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([name, inner]) => [name, ...settingNames(inner)]);
  }
  if (schema instanceof z.ZodRecord) return settingNames(schema.valueType);
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap(settingNames);
  const isWrapper =
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable;
  return isWrapper ? settingNames(schema.unwrap()) : [];
}
