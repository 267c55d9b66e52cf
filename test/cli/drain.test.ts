/** `trunkline node drain` against a node of its own, which it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { MAIN, runCli } from '../support/cli.js';

const ADMIN_KEY = 'admin-key-0123456789';

const CONFIG = `
node: { name: drain-test, workers: 1, drainMs: 3000, logLevel: info }
access: { tcp: { port: 0 }, ws: null }
public: { port: 0 }
private: { port: 0, adminKeys: [${ADMIN_KEY}] }
apps: { shop: { keys: [app-key-0123456789] } }
businesses: { live: { id: 7, apps: [shop], keys: [live-key-0123456789] } }
`;

test('node drain: answers as it begins, and the process ends with code 0', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-drain-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'node.yaml');
  writeFileSync(file, CONFIG);
  const node = spawn(process.execPath, [MAIN, 'start', '--json', '--config', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => node.kill('SIGKILL'));
  let log = '';
  node.stderr.on('data', (text) => {
    log += text;
  });
  const ended = once(node, 'exit');
  const [line] = (await once(node.stdout, 'data')) as [Buffer];
  const url = `http://${JSON.parse(String(line)).addresses.services['BridgeActor']}`;
  const args = ['node', 'drain', '--node', 'drain-test', '--window-ms', '100', '--json'];
  const drained = await runCli(args, { env: { TRUNKLINE_URL: url, TRUNKLINE_KEY: ADMIN_KEY } });
  t.is(drained.code, 0, drained.stderr);
  t.like(JSON.parse(drained.stdout), { node: 'drain-test', windowMs: 100, withinMs: 2_500, to: [] });
  t.deepEqual(await ended, [0, null]);
  t.regex(log, /"node stopped"/);
});
