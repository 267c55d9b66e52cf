/** What no single setting shows. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ConfigError, type ConfigInput, parseConfig } from '../../config/index.js';
import { createCertificate } from '../support/certificate.js';

const dir = mkdtempSync(join(tmpdir(), 'trunkline-checks-'));
test.after.always(() => rmSync(dir, { recursive: true }));

const BASE: ConfigInput = {
  apps: { shop: { keys: ['app-key-0123456789'] } },
  businesses: { im: { id: 1, apps: ['shop'], keys: ['im-key-0123456789'] } },
};

/** `path: message` per problem. */
function problemsOf(extra: Partial<ConfigInput>): string[] {
  try {
    parseConfig(JSON.stringify({ ...BASE, ...extra }), { baseDir: dir });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

test('checks: certificate and key are there, belong together, and the key is closed to others', (t) => {
  const good = createCertificate(dir, 'good');
  const other = createCertificate(dir, 'other');
  t.deepEqual(problemsOf({ access: { tls: { certFile: 'good.crt', keyFile: good.keyFile } } }), []);

  const mixed = problemsOf({ access: { wss: { certFile: good.certFile, keyFile: other.keyFile } } });
  t.deepEqual(mixed, ['access.wss.keyFile: is not the private key of the first certificate in certFile']);

  writeFileSync(join(dir, 'text.pem'), 'no PEM at all');
  const wrong = problemsOf({ access: { tls: { certFile: 'text.pem', keyFile: 'none.key' } } });
  t.is(wrong.length, 2);
  t.regex(wrong[0] ?? '', /^access\.tls\.certFile: the file .*text\.pem holds no certificate in PEM form$/);
  t.regex(wrong[1] ?? '', /^access\.tls\.keyFile: the file .*none\.key cannot be read \(ENOENT\)$/);

  chmodSync(other.keyFile, 0o644);
  const [open = ''] = problemsOf({ access: { tls: { certFile: other.certFile, keyFile: other.keyFile } } });
  t.regex(open, /^access\.tls\.keyFile: the file .* is open to every user of this machine; run: chmod 600 \//);
});

test('checks: certificate paths start at the folder of the file', (t) => {
  createCertificate(dir, 'relative');
  const tls = { certFile: 'relative.crt', keyFile: 'relative.key' };
  const config = parseConfig(JSON.stringify({ ...BASE, access: { tls } }), { baseDir: dir });
  t.is(config.access.tls?.keyFile, join(dir, 'relative.key'));
});

test('checks: the TLS listeners take part in the clash of ports', (t) => {
  const files = createCertificate(dir, 'clash');
  t.deepEqual(problemsOf({ access: { tls: { ...files, port: 7100 } } }), [
    'access.tls.port: must differ from access.tcp.port: both are 7100',
  ]);
  t.deepEqual(problemsOf({ access: { tcp: null, ws: null, wss: files } }), []);
});

test('checks: addresses that everybody may claim are no proxies', (t) => {
  t.deepEqual(
    problemsOf({
      access: { tcp: { proxyProtocol: { from: ['10.0.0.0/8', '0.0.0.0/0'] } } },
      public: { trustedProxies: ['::/0'] },
    }),
    [
      'access.tcp.proxyProtocol.from[1]: must not cover every address: name your proxies only',
      'public.trustedProxies[0]: must not cover every address: name your proxies only',
    ],
  );
  t.deepEqual(problemsOf({ access: { ws: { proxyProtocol: { from: ['10.0.0.300/8'] } } } }), [
    'access.ws.proxyProtocol.from[0]: must be an address or a range such as 10.0.0.0/8',
  ]);
});

test('checks: events need somewhere to go', (t) => {
  const im = { ...BASE.businesses['im'], id: 1, apps: ['shop'], keys: ['im-key-0123456789'] };
  t.deepEqual(problemsOf({ businesses: { im: { ...im, events: { connected: true } } } }), [
    'businesses.im.events.connected: needs upstream.url, where events are sent',
  ]);
});

test('checks: an admin key is nobody else’s', (t) => {
  t.deepEqual(problemsOf({ private: { adminKeys: ['admin-key-0123456789', 'im-key-0123456789'] } }), [
    'private.adminKeys[1]: must be unique: businesses.im.keys[0] has the same key',
  ]);
});

test('checks: at most 64 businesses serve one app', (t) => {
  const businesses = Object.fromEntries(
    Array.from({ length: 65 }, (_, i) => [
      `b${i}`,
      { id: i + 1, apps: ['shop'], keys: [`key-of-business-${i + 100}`] },
    ]),
  );
  t.deepEqual(problemsOf({ businesses }), ['apps.shop: is served by 65 businesses; at most 64 may serve one app']);
});

const REDIS = { type: 'redis' } as const;

test('checks: an embedded node has every role, since no other node can', (t) => {
  t.deepEqual(problemsOf({ node: { roles: ['access'] } }), [
    'node.roles: needs bridge and control: with engine.type embedded there is no other node that could have it',
  ]);
  for (const roles of [['access'], ['bridge'], ['control'], ['bridge', 'control']] as const) {
    t.deepEqual(problemsOf({ node: { roles: [...roles] }, engine: REDIS }), []);
  }
  t.deepEqual(problemsOf({ node: { roles: ['access', 'access'] }, engine: REDIS }), ['node.roles: names a role twice']);
  t.deepEqual(problemsOf({ node: { roles: [] }, engine: REDIS }), ['node.roles: must be a list of at least 1']);
});

test('checks: listeners that the roles leave off take part in nothing', (t) => {
  const off = { tcp: null, ws: null };
  t.deepEqual(problemsOf({ node: { roles: ['bridge'] }, engine: REDIS, access: off, public: { port: 7300 } }), []);
  t.deepEqual(problemsOf({ node: { roles: ['access'] }, engine: REDIS, access: off }), [
    'access: needs at least one listener: tcp, ws, tls, wss and quic cannot all be null',
  ]);
  t.deepEqual(problemsOf({ node: { roles: ['control'] }, engine: REDIS, public: { port: 7300 } }), [
    'private.port: must differ from public.port: both are 7300',
  ]);
  const tls = { certFile: 'none.crt', keyFile: 'none.key' };
  t.deepEqual(problemsOf({ node: { roles: ['control'] }, engine: REDIS, access: { tls } }), []);
});

test('checks: addresses, user and time of Redis', (t) => {
  t.deepEqual(problemsOf({ engine: { ...REDIS, addresses: ['redis:70000', 'redis:6379'], username: 'me' } }), [
    'engine.addresses[0]: must be host:port, such as 10.0.0.5:6379',
    'engine.addresses: must be one server while engine.mode is standalone',
    'engine.username: needs engine.password',
  ]);
  t.deepEqual(problemsOf({ engine: { ...REDIS, mode: 'cluster', addresses: ['a:1', '[::1]:2'] } }), []);
  t.deepEqual(problemsOf({ engine: REDIS, cluster: { leaseMs: 600 } }), [
    'engine.commandTimeoutMs: must be at most cluster.leaseMs (600)',
  ]);
  t.deepEqual(problemsOf({ cluster: { leaseMs: 499 } }), ['cluster.leaseMs: must be at least 500']);
  t.deepEqual(problemsOf({ cluster: { leaseMs: 300_001 } }), ['cluster.leaseMs: must be at most 300000']);
});

test('checks: an engine that there is not, and settings of another one', (t) => {
  t.deepEqual(problemsOf({ engine: { type: 'postgres' } as never }), ['engine.type: must be one of: embedded, redis']);
  t.deepEqual(problemsOf({ engine: 'redis' as never }), ['engine: must be a map of settings']);
  const [embedded = ''] = problemsOf({ engine: { type: 'embedded', addresses: [] } as never });
  t.regex(embedded, /^engine\.addresses: there is no such setting/);
  const [misspelt = ''] = problemsOf({ engine: { ...REDIS, adresses: [] } as never });
  t.regex(misspelt, /^engine\.adresses: there is no such setting; here can stand: type, mode, addresses, /);
});

test('checks: regions are those of the configuration', (t) => {
  const node = { region: 'eu' };
  const us = {};
  t.deepEqual(problemsOf({ node }), [], 'without any a region is a name and no more');
  t.deepEqual(problemsOf({ node, control: { regions: { eu: { fallback: ['us'] }, us } } }), []);
  t.deepEqual(problemsOf({ control: { regions: { us } } }), [
    'node.region: must be one of control.regions, which has no "default"',
  ]);
  t.deepEqual(problemsOf({ node, control: { regions: { eu: { fallback: ['us', 'us', 'eu', 'asia'] }, us } } }), [
    'control.regions.eu.fallback[1]: names "us" a second time',
    'control.regions.eu.fallback[2]: must be another region',
    'control.regions.eu.fallback[3]: must be one of control.regions, which has no "asia"',
  ]);
  t.deepEqual(problemsOf({ node, control: { regions: { eu: { domains: { wss: 'eu.example.com:0' } } } } }), [
    'control.regions.eu.domains.wss: must be host:port, such as link.example.com:7100',
  ]);
  const [sctp = ''] = problemsOf({ node, control: { regions: { eu: { domains: { sctp: 'a:1' } as never } } } });
  t.regex(
    sctp,
    /^control\.regions\.eu\.domains.*: (the name must be one of: tcp, ws, tls, wss, quic|there is no such setting)/,
  );
});

test('checks: silence that ends a QUIC connection is longer than its heartbeats take', (t) => {
  const quic = { certFile: 'missing.crt', keyFile: 'missing.key', idleMs: 180_000 };
  const problems = problemsOf({ access: { quic }, heartbeat: { intervalMs: 60_000, maxMissed: 2 } });
  t.true(
    problems.includes('access.quic.idleMs: must be above heartbeat.intervalMs x (heartbeat.maxMissed + 1) (180000)'),
  );
});

test('checks: pools, ranges and domains are named once', (t) => {
  const node = { region: 'eu' };
  t.deepEqual(problemsOf({ control: { pools: ['a', 'a'] } }), ['control.pools: names a pool twice']);
  const cidrs = ['10.0.0.0/8'];
  t.deepEqual(problemsOf({ node, control: { regions: { eu: { cidrs }, us: { cidrs } } } }), [
    'control.regions.us.cidrs[0]: stands in "eu" already',
  ]);
  const wss = (...addresses: string[]) => ({ eu: { domains: { wss: addresses.map((address) => ({ address })) } } });
  t.deepEqual(problemsOf({ node, control: { regions: wss('a:1', 'b:1') } }), []);
  t.deepEqual(problemsOf({ node, control: { regions: wss('a:1', 'a:1') } }), [
    'control.regions.eu.domains.wss: names an address twice',
  ]);
  t.deepEqual(problemsOf({ node, control: { regions: wss('a:1', 'b:0') } }), [
    'control.regions.eu.domains.wss: must be host:port, such as link.example.com:7100',
  ]);
});
