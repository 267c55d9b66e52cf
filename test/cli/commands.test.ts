/** The `trunkline` command as a shell runs it, against a node that `trunkline start` runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createClient, type TrunklineClient, tcpConnector } from '../../sdk/node.js';
import { type CliResult, MAIN, runCli } from '../support/cli.js';

const APP_KEY = 'app-key-0123456789';
const LIVE_KEY = 'live-key-0123456789';

const CONFIG = `
node: { name: cli-test, workers: 1, drainMs: 3000, logLevel: error }
access: { tcp: { port: 0 }, ws: null }
overload: { loopDelayMs: 10000 }
public: { port: 0 }
private: { port: 0 }
apps: { shop: { keys: [{ env: SHOP_KEY }] } }
businesses:
  live:
    id: 7
    apps: [shop]
    keys: [${LIVE_KEY}]
    groups: { createOnJoin: true, open: ["room-*"] }
`;

interface Addresses {
  readonly tcp: string;
  readonly services: Readonly<Record<string, string>>;
}

let dir: string;
let node: ChildProcess;
let addresses: Addresses;
let url: string;

test.before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'trunkline-cli-'));
  writeFileSync(join(dir, 'node.yaml'), CONFIG);
  node = spawn(process.execPath, [MAIN, 'start', '--json', '--config', join(dir, 'node.yaml')], {
    env: { ...process.env, SHOP_KEY: APP_KEY },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(node.stdout ?? node, 'data')) as [Buffer];
  ({ addresses } = JSON.parse(String(line)) as { addresses: Addresses });
  url = `http://${addresses.services['BridgeActor']}`;
});
test.after.always(async () => {
  if (node?.exitCode === null) {
    node.kill('SIGTERM');
    await once(node, 'exit');
  }
  rmSync(dir, { recursive: true, force: true });
});

function trunkline(args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
  return runCli(args, { env: { TRUNKLINE_URL: url, ...env } });
}

/** A device with the token that the command printed. */
async function connectWith(token: string): Promise<TrunklineClient> {
  const client = createClient({
    transports: { tcp: tcpConnector },
    credentials: async () => ({
      token,
      expiresAtMs: Date.now() + 60_000,
      accessPoints: { tcp: [addresses.tcp] },
    }),
  });
  await client.connect();
  return client;
}

test('token and push: a device logs in with the token, and the push reaches it', async (t) => {
  const issued = await trunkline(['token', '--app', 'shop', '--device', 'till-1', '--key', APP_KEY]);
  t.is(issued.code, 0, issued.stderr);
  t.regex(issued.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const client = await connectWith(issued.stdout.trim());
  t.teardown(() => client.close());
  const live = client.business('live');
  const pushes: string[] = [];
  live.onPush((push) => pushes.push(`${push.text()} ${push.metadata['kind'] ?? ''} ${push.group ?? ''}`));

  const env = { TRUNKLINE_KEY: LIVE_KEY };
  const one = await trunkline(['push', 'héllo', '--app', 'shop', '--device', 'till-1', '--meta', 'kind=greeting'], env);
  t.is(one.code, 0, one.stderr);
  t.is(one.stdout, 'till-1  delivered\n');

  const two = await trunkline(
    ['push', 'both', '--app', 'shop', '--device', 'till-1', '--device', 'nobody', '--json'],
    env,
  );
  t.is(two.code, 5);
  t.like(JSON.parse(two.stdout), {
    results: [
      { device: 'till-1', result: 'delivered' },
      { device: 'nobody', result: 'offline' },
    ],
  });

  await live.join('room-9');
  const many = await trunkline(['push', 'all', '--group', 'room-9'], env);
  t.is(many.code, 0, many.stderr);
  t.regex(many.stdout, /^room-9 {2}queued for 1 member at offset \d+\n$/);
  while (pushes.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  t.deepEqual(pushes, ['héllo greeting ', 'both  ', 'all  room-9']);
});

test('token: --json has the expiry, and grants follow the flags', async (t) => {
  const keyFile = join(dir, 'app.key');
  writeFileSync(keyFile, `${APP_KEY}\n`, { mode: 0o600 });
  const args = ['token', '--app', 'shop', '--device', 'till-2', '--uid', 'u7', '--business', 'live'];
  const { code, stdout, stderr } = await trunkline([
    ...args,
    '--group',
    'live:vip-*',
    '--ttl',
    '60',
    '--json',
    '--key-file',
    keyFile,
  ]);
  t.is(code, 0, stderr);
  const answer = JSON.parse(stdout) as { token: string; expiresAtMs: number };
  t.true(answer.expiresAtMs - Date.now() <= 60_000);
  const claims: unknown = JSON.parse(Buffer.from(answer.token.split('.')[1] ?? '', 'base64url').toString());
  t.like(claims, { sub: 'till-2', aud: 'shop', uid: 'u7', biz: ['live'], grp: { live: ['vip-*'] } });
});

test('push: a group that does not exist, a wrong key and a silent node are refusals, exit code 4', async (t) => {
  const noGroup = await trunkline(['push', 'x', '--group', 'room-none', '--key', LIVE_KEY]);
  t.is(noGroup.code, 4);
  t.regex(noGroup.stderr, /^trunkline: http:.* refused \(404, TRK_GROUP_NOT_FOUND\)/);

  const wrongKey = await trunkline(['push', 'x', '--group', 'room-1', '--key', 'not-the-key']);
  t.is(wrongKey.code, 4);
  t.regex(wrongKey.stderr, /refused \(401, TRK_UNAUTHENTICATED\).*Check the key/);

  const silent = await trunkline([
    'push',
    'x',
    '--group',
    'room-1',
    '--key',
    'k',
    '--url',
    'http://127.0.0.1:1',
    '--json',
  ]);
  t.is(silent.code, 4);
  t.like(JSON.parse(silent.stderr), { code: 'TRK_NODE_REFUSED' });
  t.regex(silent.stderr, /does not answer \(ECONNREFUSED\)/);
});

const usage = test.macro({
  async exec(t, args: readonly string[], expected: RegExp) {
    const { code, stdout, stderr } = await trunkline(args, { TRUNKLINE_KEY: '' });
    t.is(code, 2, stderr);
    t.is(stdout, '');
    t.regex(stderr, expected);
  },
  title: (name) => `usage: ${name}`,
});
test('no command', usage, [], /say what to do, such as demo or start/);
test('an unknown command', usage, ['stop'], /Unknown (command|argument): stop/);
test('an unknown flag', usage, ['push', 'x', '--grupo', 'room-1'], /Unknown argument: grupo/);
test('a flag that is missing', usage, ['token', '--app', 'shop'], /Missing required argument: device/);
test('a push to nowhere', usage, ['push', 'x', '--key', LIVE_KEY], /say where to/);
test('a device without its app', usage, ['push', 'x', '--device', 'd', '--key', LIVE_KEY], /--device needs --app/);
test(
  'no key',
  usage,
  ['push', 'x', '--group', 'room-1'],
  /no key: give --key-file FILE, or set TRUNKLINE_KEY_FILE or TRUNKLINE_KEY/,
);
test(
  'a URL that is none',
  usage,
  ['push', 'x', '--group', 'g', '--key', 'k', '--url', 'nowhere'],
  /--url: not an http URL/,
);
test('a port base out of range', usage, ['demo', '--port-base', '80'], /--port-base: 0, or a whole number from 1024/);
test(
  'a life that is no number',
  usage,
  ['token', '--app', 'a', '--device', 'd', '--ttl', 'x', '--key', 'k'],
  /--ttl: a number/,
);

test('start: a configuration with problems names each, exit code 3', async (t) => {
  const path = join(dir, 'broken.yaml');
  writeFileSync(path, `${CONFIG}limits: { conections: 1 }\nheartbeat: { maxMissed: 0 }\n`);
  const { code, stderr } = await trunkline(['start', '--config', path], { SHOP_KEY: APP_KEY });
  t.is(code, 3);
  t.regex(stderr, /broken\.yaml: 2 problems\n {2}line 14, limits\.conections: .*\n {2}line 15, heartbeat\.maxMissed: /);

  const asJson = await trunkline(['start', '--config', path, '--json'], { SHOP_KEY: APP_KEY });
  t.like(JSON.parse(asJson.stderr), { code: 'TRK_CONFIG_INVALID', problems: [{ line: 14 }, { line: 15 }] });
});

test('start: a second node on the same port is told so, and ends', async (t) => {
  const path = join(dir, 'second.yaml');
  const port = addresses.tcp.split(':')[1] ?? '';
  writeFileSync(path, CONFIG.replace('tcp: { port: 0 }', `tcp: { port: ${port} }`));
  const { code, stderr } = await trunkline(['start', '--config', path], { SHOP_KEY: APP_KEY });
  t.is(code, 1);
  t.true(stderr.includes(port), stderr);
});

test('help: names every command and the exit codes', async (t) => {
  const { code, stdout } = await trunkline(['--help']);
  t.is(code, 0);
  const commands = ['start', 'demo', 'connect', 'token', 'push', 'kick', 'status', 'devices', 'groups', 'reload'];
  for (const word of [...commands, 'config', 'completion', 'Exit codes']) t.true(stdout.includes(word), word);
});

test('start: SIGTERM ends an own node with exit code 0', async (t) => {
  const path = join(dir, 'own.yaml');
  writeFileSync(path, CONFIG);
  const child = spawn(process.execPath, [MAIN, 'start', '--config', path], {
    env: { ...process.env, SHOP_KEY: APP_KEY },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  t.regex(String(text), /^access tcp {2}127\.0\.0\.1:\d+\naccess ws {3}off\npublic {6}http:.*\nprivate {5}http:/);
  child.kill('SIGTERM');
  t.deepEqual(await once(child, 'exit'), [0, null]);
});
