/** The demo without a browser: what it prints works, and it ends, whatever happens, without leaving anything behind. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { createClient } from '../../sdk/node.js';
import { DemoProcess, isAlive } from './demo-process.js';

/** What the demo promises for Ctrl-C and SIGTERM. */
const STOP_LIMIT_MS = 10_000;

const run = promisify(execFile);

/** As a shell runs a line that was pasted. */
async function shell(command: string): Promise<unknown> {
  const { stdout } = await run('/bin/sh', ['-c', command]);
  return JSON.parse(stdout);
}

test.serial('demo: prints its addresses and exactly three curl commands, and all three work', async (t) => {
  const demo = await DemoProcess.start();
  t.teardown(() => demo.stop());
  t.is(demo.curlCommands.length, 3);
  const [unicast = '', batch = '', multicast = ''] = demo.curlCommands;

  t.like(await shell(unicast), { result: 'delivered' });
  t.like(await shell(batch), {
    results: [
      { device: 'demo-device-1', result: 'delivered' },
      { device: 'demo-device-2', result: 'delivered' },
    ],
  });
  t.like(await shell(multicast), { members: 2, unanswered: 0 });

  await demo.printed(/demo-device-1 got im: Hello from curl/);
  await demo.printed(/demo-device-2 got im: Hello to you all/);
  await demo.printed(/demo-device-2 got live: Hello room \(room-1 #\d+\)/);
  for (const address of [/Page +http:/, /Access +tcp 127\.0\.0\.1:\d+ +ws:/, /Control +http:/, /Bridge +http:/]) {
    t.regex(demo.stdout, address);
  }
});

test.serial('demo: the printed command is a device on a terminal, by any of the protocols', async (t) => {
  const demo = await DemoProcess.start();
  t.teardown(() => demo.stop());
  const command = demo.connectCommand.replace(/^npx trunkline/, `'${process.execPath}' dist/cli/main.js`);
  t.regex(command, / --protocol quic$/);
  for (const protocol of ['quic', 'tls', 'wss', 'tcp', 'ws']) {
    const other = command.replace(/quic$/, protocol);
    const { stdout } = await run('/bin/sh', ['-c', `echo '/request im who {}' | ${other} --json`]);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    t.is(events.find(({ type }) => type === 'online')?.['protocol'], protocol, stdout);
    t.true(String(events.find(({ type }) => type === 'response')?.['payload']).includes('demo-device-1'), stdout);
  }
  const untrusting = command.replace(/ --ca '[^']+'/, '');
  const refused = await t.throwsAsync<Error & { code?: unknown }>(run('/bin/sh', ['-c', `${untrusting} < /dev/null`]));
  t.is(refused.code, 4);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test.serial(`demo: ${signal} ends everything within 10 s, exit code 0, no child and no file left`, async (t) => {
    const temporary = mkdtempSync(join(tmpdir(), 'trunkline-e2e-'));
    t.teardown(() => rmSync(temporary, { recursive: true }));
    const demo = await DemoProcess.start({ TMPDIR: temporary });
    t.is(readdirSync(temporary).filter((name) => name.startsWith('trunkline-demo-')).length, 1);
    const children = demo.children();
    t.deepEqual(children.map(({ script }) => script).sort(), ['im-back-end', 'live-back-end']);
    // A device that stays until it is told to go, and a stranger who never says a word.
    const client = createClient({ bootstrapUrl: demo.printedAddress('Control'), app: 'demo' });
    t.teardown(() => client.close());
    await client.connect();
    const stranger = connect(Number(demo.printedAddress('Access').split(':').at(-1)), '127.0.0.1');
    stranger.on('error', () => {});
    t.teardown(() => stranger.destroy());
    await once(stranger, 'connect');
    const startMs = performance.now();
    demo.signal(signal);
    t.is(await demo.exited, 0, demo.stderr);
    t.true(performance.now() - startMs < STOP_LIMIT_MS);
    t.deepEqual(
      children.filter(({ pid }) => isAlive(pid)),
      [],
    );
    t.is(demo.stderr, '');
    t.deepEqual(readdirSync(temporary), []);
  });
}

test.serial('demo: a back-end that crashes ends the demo, and the message says which', async (t) => {
  const demo = await DemoProcess.start();
  const children = demo.children();
  const live = children.find(({ script }) => script === 'live-back-end');
  process.kill(live?.pid ?? 0, 'SIGKILL');
  t.is(await demo.exited, 1);
  t.regex(demo.stderr, /^trunkline: the live back-end ended by itself \(SIGKILL\); the demo ends with it$/m);
  t.deepEqual(
    children.filter(({ pid }) => isAlive(pid)),
    [],
  );
});

test.serial('demo: killed without a chance to clean up, it takes its back-ends along', async (t) => {
  const demo = await DemoProcess.start();
  const children = demo.children();
  demo.signal('SIGKILL');
  t.is(await demo.exited, 'SIGKILL');
  while (children.some(({ pid }) => isAlive(pid))) await new Promise((resolve) => setTimeout(resolve, 25));
  t.pass();
});

test.serial('demo: a port that is taken is named together with the flag, and nothing is left running', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  t.teardown(() => holder.close());
  const { port } = holder.address() as AddressInfo;
  const demo = DemoProcess.spawn('--port-base', String(port));
  t.is(await demo.exited, 1);
  t.regex(demo.stderr, new RegExp(`^trunkline: port ${port} \\(access over TCP\\) is taken.*--port-base`));
  t.is(demo.stdout, '');
});
