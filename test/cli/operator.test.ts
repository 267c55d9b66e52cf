/** What an operator runs against a node: status, lists, kicks, reloads. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { BackEndClient } from '../../sdk/backend/index.js';
import { createClient, type TrunklineClient, tcpConnector } from '../../sdk/node.js';
import { type CliResult, MAIN, runCli, silentAddress } from '../support/cli.js';
import { eventually } from '../support/start-test-node.js';

const KEYS = { app: 'app-key-0123456789', live: 'live-key-0123456789', admin: 'admin-key-0123456789' };

const configText = (more = '') => `
node: { name: operator-test, workers: 1, drainMs: 3000, logLevel: info }
access: { tcp: { port: 0 }, ws: null }
overload: { loopDelayMs: 10000 }
public: { port: 0 }
private: { port: 0, adminKeys: [${KEYS.admin}] }
apps: { shop: { keys: [${KEYS.app}] } }
businesses:
  live: { id: 7, apps: [shop], keys: [${KEYS.live}], groups: { createOnJoin: true, open: ["room-*"] } }
${more}`;

interface Addresses {
  readonly tcp: string;
  readonly services: Readonly<Record<string, string>>;
}

let dir: string;
let configFile: string;
let node: ChildProcess;
let log = '';
let addresses: Addresses;
let url: string;

test.before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'trunkline-operator-'));
  configFile = join(dir, 'node.yaml');
  writeFileSync(configFile, configText());
  node = spawn(process.execPath, [MAIN, 'start', '--json', '--config', configFile, '--set', 'limits.groups=7'], {
    env: { ...process.env, TRUNKLINE_LIMITS__INFLIGHT: '9', TRUNKLINE_LIMITS__GROUPS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  node.stderr?.on('data', (text) => {
    log += text;
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

/** As the operator. */
function trunkline(args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
  return runCli(args, { env: { TRUNKLINE_URL: url, TRUNKLINE_KEY: KEYS.admin, ...env } });
}

async function online(deviceId: string): Promise<TrunklineClient> {
  const app = new BackEndClient({ url, key: KEYS.app, app: 'shop' });
  const client = createClient({
    transports: { tcp: tcpConnector },
    credentials: async () => ({
      ...(await app.issueToken({ deviceId, uid: `user-of-${deviceId}` })),
      accessPoints: { tcp: [addresses.tcp] },
      retry: { minMs: 50, maxMs: 500 },
    }),
  });
  await client.connect();
  return client;
}

test('status: for people and for machines', async (t) => {
  const text = await trunkline(['status']);
  t.is(text.code, 0, text.stderr);
  t.regex(text.stdout, /^node {8}operator-test \d+\.\d+\.\d+, incarnation [0-9a-f]{16}\nstate {7}ready\n/);
  t.regex(text.stdout, /^WORKER {2}STATE {2}CRASHES {2}CONNECTIONS {2}GROUPS {2}LOOP DELAY\n0 {7}up /m);
  const { code, stdout } = await trunkline(['status', '--json']);
  t.is(code, 0);
  const status = JSON.parse(stdout);
  t.like(status, { node: 'operator-test', state: 'running', ready: true, reason: '', overload: { level: 0 } });
  t.like(status.workers[0], { index: 0, up: true, generation: 0 });
  t.is(status.listeners.tcp, addresses.tcp);
  t.true(status.memory.rssBytes > 10_000_000);
  t.true(status.uptimeMs >= 0);
});

test('status: flags win over the environment, which wins over the file', async (t) => {
  const { limits } = JSON.parse((await trunkline(['status', '--json'])).stdout);
  t.is(limits.groups, 7);
  t.is(limits.inFlight, 9);
});

test('cluster status and node list: a service of one node', async (t) => {
  const text = await trunkline(['cluster', 'status']);
  t.is(text.code, 0, text.stderr);
  t.regex(text.stdout, /^asked {8}operator-test, registered for .*\nengine {7}embedded, leases of 5000 ms\n/);
  t.regex(text.stdout, /\n\* +operator-test +[0-9a-f]{16} .* joined /);
  const { nodes } = JSON.parse((await trunkline(['node', 'list', '--json'])).stdout);
  t.like(nodes[0], { name: 'operator-test', state: 'joined', own: true, draining: false, workersUp: 1, workers: 1 });
  t.is(nodes[0].accessPoints.tcp, addresses.tcp);
});

test('node drain: the node that is meant, or nothing', async (t) => {
  const other = await trunkline(['node', 'drain', '--node', 'another']);
  t.is(other.code, 2);
  t.regex(other.stderr, /is operator-test, not another; nothing was done\. No node of this service is called another/);
  const nobody = await trunkline(['node', 'drain', '--prefer', 'another']);
  t.is(nobody.code, 4);
  t.regex(nobody.stderr, /TRK_UNKNOWN_NODE/);
});

test('devices and groups: lists with paging', async (t) => {
  const clients = await Promise.all(['till-a', 'till-b', 'till-c'].map(online));
  t.teardown(() => {
    for (const client of clients) client.close();
  });
  await Promise.all(clients.map((client, i) => client.business('live').join(`room-list-${i}`)));

  const devices = await trunkline(['devices', '--app', 'shop', '--json', '--all']);
  t.is(devices.code, 0, devices.stderr);
  const listed: { device: string; uid: string; businesses: string[] }[] = JSON.parse(devices.stdout).devices;
  for (const name of ['till-a', 'till-b', 'till-c']) {
    t.like(
      listed.find(({ device }) => device === name),
      { uid: `user-of-${name}`, businesses: ['live'] },
    );
  }
  const page = await trunkline(['devices', '--limit', '1']);
  t.regex(page.stdout, /^APP {3}DEVICE +USER +BUSINESSES +CONNECTION +SINCE\nshop {2}\S+ /);
  t.regex(page.stdout, /\nThere are more: --all, or --after '\S+'\n$/);

  const groups = await trunkline(['groups', '--business', 'live', '--json', '--all']);
  const names: { group: string; members: number }[] = JSON.parse(groups.stdout).groups;
  for (let i = 0; i < 3; i++)
    t.like(
      names.find(({ group }) => group === `room-list-${i}`),
      { members: 1 },
    );

  const none = await trunkline(['groups', '--business', 'nobody']);
  t.is(none.code, 4);
  t.regex(none.stderr, /TRK_UNKNOWN_BUSINESS/);
});

test('explain: with the app’s key of its device, as an operator of any client', async (t) => {
  const client = await online('till-x');
  t.teardown(() => client.close());
  const env = { TRUNKLINE_KEY: KEYS.app, TRUNKLINE_APP: 'shop' };
  const told = await trunkline(['explain', '--device', 'till-x', '--attr', 'region=default'], env);
  t.is(told.code, 0, told.stderr);
  t.regex(told.stdout, /^device {6}till-x of shop: online at operator-test \(default\), /);
  t.regex(told.stdout, /\n1\. of operator-test: operator-test, the only one left\ntcp {9}127\.0\.0\.1:\d+\n$/);
  const any = await trunkline(['explain', '--admin', '--json', '--attr', 'platform=web']);
  t.is(any.code, 5, 'the node has no WebSocket');
  const { nodes, refused } = JSON.parse(any.stdout);
  t.deepEqual([nodes[0].leftOut, refused.code], ['no-protocol', 'TRK_NO_ACCESS_POINT']);
  t.is((await trunkline(['explain'])).code, 2);
  t.is((await trunkline(['explain', '--device', 'till-x', '--app', 'other'], env)).code, 4);
});

test('kick: a business withdraws itself, an operator closes the connection', async (t) => {
  const client = await online('till-kick');
  t.teardown(() => client.close());
  const args = ['kick', '--app', 'shop', '--device', 'till-kick'];
  const kicked = await trunkline(args, { TRUNKLINE_KEY: KEYS.live });
  t.is(kicked.code, 0, kicked.stderr);
  t.is(kicked.stdout, 'till-kick  kicked\n');
  t.is(client.state, 'online');
  const again = await trunkline([...args, '--json'], { TRUNKLINE_KEY: KEYS.live });
  t.is(again.code, 5);
  t.deepEqual(JSON.parse(again.stdout), { kicked: false });

  const closed = new Promise<number | undefined>((resolve) => {
    client.on('offline', ({ code }) => resolve(code));
  });
  const disconnected = await trunkline([...args, '--admin']);
  t.is(disconnected.stdout, 'till-kick  disconnected\n');
  t.is(await closed, 4506);
  const gone = await trunkline([...args, '--admin'], { TRUNKLINE_APP: 'shop' });
  t.is(gone.code, 5);
});

test('operator: a business’s key, no key and a silent node are told apart', async (t) => {
  const wrong = await trunkline(['status'], { TRUNKLINE_KEY: KEYS.live });
  t.is(wrong.code, 4);
  t.regex(wrong.stderr, /refused \(401, TRK_UNAUTHENTICATED\).*Check the key: --key-file, TRUNKLINE_KEY_FILE/);
  const none = await trunkline(['status'], { TRUNKLINE_KEY: '' });
  t.is(none.code, 2);
  const silent = await trunkline(['devices', '--json'], { TRUNKLINE_URL: `http://${await silentAddress()}` });
  t.is(silent.code, 4);
  const { code, message } = JSON.parse(silent.stderr);
  t.is(code, 'TRK_NODE_REFUSED');
  t.regex(message, /does not answer \(ECONNREFUSED\).*TRUNKLINE_URL names its private listener/);
});

test.serial('reload: by SIGHUP and by command, refused whole when something is wrong', async (t) => {
  const client = await online('till-reload');
  t.teardown(() => client.close());
  writeFileSync(configFile, configText('heartbeat: { intervalMs: 30000 }'));
  const done = await trunkline(['reload']);
  t.is(done.code, 0, done.stderr);
  t.is(done.stdout, 'changed:\n  heartbeat.intervalMs\n');

  writeFileSync(configFile, configText('heartbeat: { intervalMs: 0 }\nlimits: { conections: 1 }'));
  const broken = await trunkline(['reload', '--json']);
  t.is(broken.code, 4);
  t.regex(JSON.parse(broken.stderr).message, /409, TRK_CONFIG_INVALID.*heartbeat\.intervalMs: .*limits\.conections: /s);

  writeFileSync(configFile, configText('retry: { maxMs: 20000 }').replace('workers: 1', 'workers: 2'));
  const restart = await trunkline(['reload']);
  t.is(restart.code, 4);
  t.regex(restart.stderr, /TRK_RESTART_NEEDED.*node\.workers: takes a restart/);

  log = '';
  node.kill('SIGHUP');
  await eventually(() => log.includes('"configuration not reloaded"'));
  t.regex(log, /these settings take a restart: node\.workers/);
  writeFileSync(configFile, configText('retry: { maxMs: 20000 }'));
  node.kill('SIGHUP');
  await eventually(() => log.includes('"configuration reloaded"'));
  t.regex(log, /"changed":\["heartbeat\.intervalMs","retry\.maxMs"\]/);
  t.is((await trunkline(['reload'])).stdout, 'nothing changed\n');
  t.is(client.state, 'online');
  const { config } = JSON.parse((await trunkline(['status', '--json'])).stdout);
  t.is(config.reloads, 3);
});

test.serial('keys rotate and revoke: the operator’s, without a gap for who stays', async (t) => {
  const client = await online('till-keys');
  t.teardown(() => client.close());
  const rotated = await trunkline(['keys', 'rotate', '--json']);
  t.is(rotated.code, 0, rotated.stderr);
  const { kid, previousKid, previousEndsMs } = JSON.parse(rotated.stdout);
  t.not(kid, previousKid);
  t.true(previousEndsMs > Date.now());
  t.is(client.state, 'online');
  t.regex((await trunkline(['keys', 'rotate'])).stdout, new RegExp(`^\\S+ signs\\n${kid} verifies until 20`));

  const offline = new Promise<number | undefined>((resolve) => {
    client.on('offline', ({ code }) => resolve(code));
  });
  const args = ['revoke', '--app', 'shop', '--device', 'till-keys', '--identity'];
  const revoked = await trunkline([...args, '--admin']);
  t.is(revoked.code, 0, revoked.stderr);
  t.is(revoked.stdout, 'revoked, until it is lifted; 1 connections of this node closed\n');
  t.is(await offline, 4100);
  const lift = ['revoke', '--app', 'shop', '--device', 'till-keys', '--lift'];
  t.is((await trunkline(lift, { TRUNKLINE_KEY: KEYS.app })).stdout, 'lifted\n');
  t.is((await trunkline(lift, { TRUNKLINE_KEY: KEYS.app })).code, 5);

  const all = await trunkline(['revoke', '--app', 'shop', '--all', '--json'], { TRUNKLINE_KEY: KEYS.app });
  t.is(typeof JSON.parse(all.stdout).untilMs, 'number');
  const unknown = await trunkline(['revoke', '--app', 'nobody', '--all', '--admin']);
  t.is(unknown.code, 4);
  t.regex(unknown.stderr, /TRK_UNKNOWN_APP/);
  const nothing = await trunkline(['revoke', '--app', 'shop']);
  t.is(nothing.code, 2);
});
