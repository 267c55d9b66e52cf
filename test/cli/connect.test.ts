/** `trunkline connect` as a process, with its lines piped in, against a node with a back-end. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { MAIN, runCli, silentAddress } from '../support/cli.js';
import { eventually, shareTestNode, startTestNode, TEST_KEYS, type TestNode } from '../support/start-test-node.js';
import { startBackEnd } from '../upstream/real-back-end.js';

const dir = mkdtempSync(join(tmpdir(), 'trunkline-connect-'));
test.after.always(() => rmSync(dir, { recursive: true }));

const shared = shareTestNode();

interface Shown {
  readonly type: string;
  readonly [field: string]: unknown;
}

const events = (stdout: string): Shown[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const publicUrl = (node: TestNode): string => `http://${node.handle.addresses.services['ControlActor']}`;

test('connect: requests, joins and leaves from a pipe, one after the other', async (t) => {
  const backEnd = await startBackEnd(t, ({ body }, response) => response.end(`echo ${body}`));
  const node = await startTestNode(t, { upstreamUrl: backEnd.url });
  const input = ['/request im say {"to": "you"}', '/join live stage-1', '/leave live stage-1', '/state'].join('\n');
  const args = ['connect', '--app', 'demo', '--public-url', publicUrl(node), '--json'];
  const { code, stdout, stderr } = await runCli(args, { input });
  t.is(code, 0, stderr);
  const shown = events(stdout);
  const online = shown.find(({ type }) => type === 'online');
  t.deepEqual(online?.['businesses'], ['im', 'live']);
  t.is(typeof online?.['deviceId'], 'string');
  t.deepEqual(
    shown.slice(shown.indexOf(online as Shown) + 1),
    [
      { type: 'response', business: 'im', method: 'say', status: 0, metadata: {}, payload: 'echo {"to": "you"}' },
      { type: 'joined', business: 'live', group: 'stage-1' },
      { type: 'left', business: 'live', group: 'stage-1' },
      { type: 'state', state: 'online' },
    ].map((event, i) =>
      i === 0 ? { ...event, metadata: shown.find(({ type }) => type === 'response')?.['metadata'] } : event,
    ),
  );
});

test('connect: what does not come true is shown, and told by the exit code', async (t) => {
  const node = shared();
  const input = ['/request live x', '/request nobody x', '/join im closed', 'hello', '/quit', '/state'].join('\n');
  const { code, stdout } = await runCli(['connect', '--app', 'demo', '--public-url', publicUrl(node)], { input });
  t.is(code, 5);
  t.regex(stdout, /^-- online: device \S+, tcp 127\.0\.0\.1:\d+, im, live$/m);
  t.regex(stdout, /^live: 12 $/m);
  t.regex(stdout, /^!! .*nobody/m);
  t.regex(stdout, /^!! answered with status \d+/m);
  t.regex(stdout, /^!! no such command; \/help lists them$/m);
  t.notRegex(stdout, /^-- online$/m, 'nothing is read behind /quit');
});

test('connect: stays for pushes, answers back-ends, and goes with SIGTERM', async (t) => {
  const node = shared();
  const { token } = await node.issueToken('cli-device');
  const tokenFile = join(dir, 'token');
  writeFileSync(tokenFile, token);
  const device = start(t, ['--token-file', tokenFile, '--access', node.ws, '--stay', '--answer', 'pong', '--json']);
  await eventually(() => device.stdout().includes('"online"'));
  const push = await node.call('POST', '/v1/apps/demo/devices/cli-device/push', {
    key: TEST_KEYS.im,
    body: { payload: 'hi there', metadata: { kind: 'chat' } },
  });
  t.is(push.json.result, 'delivered');
  await eventually(() => device.stdout().includes('hi there'));
  t.like(events(device.stdout()).at(-1), {
    type: 'push',
    business: 'im',
    payload: 'hi there',
    metadata: { kind: 'chat' },
  });
  device.child.kill('SIGTERM');
  t.deepEqual(await once(device.child, 'close'), [0, null]);
});

test('connect: a device that is sent away says so, exit code 4', async (t) => {
  const node = shared();
  const { token } = await node.issueToken('cli-kicked');
  const device = start(t, ['--access', node.tcp, '--stay'], { TRUNKLINE_TOKEN: token });
  await eventually(() => device.stdout().includes('-- online'));
  await node.call('DELETE', '/v1/apps/demo/devices/cli-kicked/connection', { key: TEST_KEYS.app });
  t.deepEqual(await once(device.child, 'close'), [4, null]);
  t.regex(device.stdout(), /^-- offline: .*\(4506\), stays away$/m);
  t.regex(device.stderr(), /sent away: .*4506/);
});

test('connect: an identity file makes it the same device again', async (t) => {
  const node = shared();
  const identity = join(dir, 'identity.json');
  const args = ['connect', '--app', 'demo', '--public-url', publicUrl(node), '--identity', identity, '--json'];
  const ids: unknown[] = [];
  for (let run = 0; run < 2; run++) {
    const { code, stdout, stderr } = await runCli(args);
    t.is(code, 0, stderr);
    ids.push(events(stdout).find(({ type }) => type === 'online')?.['deviceId']);
  }
  t.is(ids[0], ids[1]);
  t.is(JSON.parse(readFileSync(identity, 'utf8')).deviceId, ids[0]);
  t.is(statSync(identity).mode & 0o777, 0o600);
  writeFileSync(identity, 'something else');
  const broken = await runCli(args);
  t.is(broken.code, 2);
  t.regex(broken.stderr, /--identity: .*holds no device identity/);
});

test('connect: what is missing or silent is named with its flag', async (t) => {
  const nobody = await runCli(['connect'], { env: { TRUNKLINE_APP: '', TRUNKLINE_TOKEN: '' } });
  t.is(nobody.code, 2);
  t.regex(nobody.stderr, /say who: --app APP \(or TRUNKLINE_APP\)/);
  const silent = await runCli(['connect', '--app', 'demo', '--public-url', `http://${await silentAddress()}`]);
  t.is(silent.code, 4);
  t.regex(silent.stderr, /127\.0\.0\.1:\d+ does not answer \(ECONNREFUSED\).*--public-url or TRUNKLINE_PUBLIC_URL/);
  const access = await runCli(['connect', '--token', 'x']);
  t.is(access.code, 2);
  t.regex(access.stderr, /a token needs --access/);
  const refused = await runCli(['connect', '--token', 'x', '--access', '127.0.0.1:1', '--json']);
  t.is(refused.code, 4);
  t.regex(JSON.parse(refused.stderr).message, /not connected.*access point/);
});

test('connect: an app that nobody configured, and a token that is none', async (t) => {
  const node = shared();
  const app = await runCli(['connect', '--app', 'none', '--public-url', publicUrl(node)]);
  t.is(app.code, 4);
  t.regex(app.stderr, /refused with 404/);
  const token = await runCli(['connect', '--token', 'no.good.token', '--access', node.tcp]);
  t.is(token.code, 4);
  t.regex(token.stderr, /not connected: .*\(4100\)/);
});

test('connect: --protocol leaves one way in, and says which when the service does not offer it', async (t) => {
  const node = await startTestNode(t);
  const args = ['connect', '--app', 'demo', '--public-url', publicUrl(node), '--json'];
  for (const protocol of ['tcp', 'ws']) {
    const { code, stdout } = await runCli([...args, '--protocol', protocol], { input: '/state\n' });
    t.is(code, 0);
    t.regex(stdout, new RegExp(`"type":"online".*"protocol":"${protocol}"`));
  }
  const refused = await runCli([...args, '--protocol', 'tls']);
  t.not(refused.code, 0);
  t.regex(refused.stderr, /no transport for that/);
  const unknown = await runCli([...args, '--protocol', 'pigeon']);
  t.is(unknown.code, 2);
});

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

function start(
  t: { teardown(fn: () => void): void },
  args: readonly string[],
  env: Record<string, string> = {},
): Running {
  const child = spawn(process.execPath, [MAIN, 'connect', ...args], { env: { ...process.env, ...env } });
  t.teardown(() => child.kill('SIGKILL'));
  child.stdin.end();
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  return { child, stdout: () => stdout, stderr: () => stderr };
}
