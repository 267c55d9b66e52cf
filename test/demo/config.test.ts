import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createCertificate } from '../../demo/certificate.js';
import { commentAt } from '../../demo/comments.js';
import { createDemoConfig, createDemoKeys, DEMO_ROOM } from '../../demo/config.js';
import { curlCommands } from '../../demo/curl-commands.js';
import { portsFrom } from '../../demo/ports.js';

const keys = createDemoKeys();

test('demo configuration: passes every check, on loopback, with both businesses public', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  const config = createDemoConfig({
    ports: portsFrom(7100),
    keys,
    certificate: await createCertificate(dataDir),
    hasQuic: true,
    dataDir,
    logLevel: 'warn',
    upstreams: { im: 'http://127.0.0.1:1/', live: 'http://127.0.0.1:2/' },
    origins: ['http://127.0.0.1:7400'],
  });
  t.deepEqual(
    Object.entries(config.businesses).map(([name, { id, public: isPublic }]) => [name, id, isPublic]),
    [
      ['im', 1, true],
      ['live', 2, true],
    ],
  );
  const { tcp, tls, quic, ws, wss } = config.access;
  for (const listener of [tcp, tls, quic, ws, wss, config.public, config.private]) {
    t.is(listener?.host, '127.0.0.1');
  }
});

test('demo keys: new at each start, marked, all different', (t) => {
  const other = createDemoKeys();
  const all = [...Object.values(keys), ...Object.values(other)];
  t.is(new Set(all).size, all.length);
  for (const key of all) t.regex(key, /^demo-[a-z-]+-[0-9a-f]{24}$/);
});

test('curl commands: three, each one line', (t) => {
  const commands = curlCommands({ bridgeUrl: 'http://127.0.0.1:7300', keys, devices: ['a', 'b'] });
  t.is(commands.length, 3);
  for (const { command } of commands) t.regex(command, /^curl [^\n]+$/);
  t.true(commands[0]?.command.includes('/v1/apps/demo/devices/a/push'));
  t.true(commands[1]?.command.includes('"devices":["a","b"]'));
  t.true(commands[2]?.command.includes(`/v1/groups/${DEMO_ROOM}/push`));
});

test('comments: repeatable, and no pair of name and line soon again', (t) => {
  t.deepEqual(commentAt(5), commentAt(5));
  const pairs = Array.from({ length: 286 }, (_, index) => Object.values(commentAt(index)).join(': '));
  t.is(new Set(pairs).size, 286);
});
