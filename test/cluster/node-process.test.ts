/** A node as a process of its own: signals, exit codes, and what it listens on. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { SAME_PRESS_MS } from '../../cli/signals.js';
import { CloseCode, FrameType } from '../../protocol/index.js';
import { createHttpClient } from '../support/http-client.js';
import { NodeProcess } from '../support/node-process.js';
import { RawDevice } from '../support/raw-device.js';
import { TEST_KEYS } from '../support/start-test-node.js';

const NOISE_MS = 3_000;

test('node process: listens on its four ports, once a worker where they share, and on nothing else', async (t) => {
  const node = await NodeProcess.start(t, { workers: 2 });
  await login(node, 'ada');
  const port = (address: string) => Number(address.split(':')[1]);
  const { tcp, ws, services } = node.addresses;
  const shared = [tcp, ws].map(port);
  const own = Object.values(services).map(port);
  const { ports, unixSockets } = node.listeners();
  t.deepEqual(ports.toSorted(), [...shared, ...shared, ...own].toSorted());
  t.is(unixSockets, 0, 'an actor that is passed to a thread would open one');
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`node process: ${signal} drains a client and exits 0 within the drain time`, async (t) => {
    const drainMs = 2_000;
    const node = await NodeProcess.start(t, { drainMs });
    const device = await login(node, 'ada');
    const began = performance.now();
    node.signal(signal);
    await device.next(FrameType.goaway);
    t.like(await device.next(FrameType.close), { code: CloseCode.goingAway });
    t.is(await node.exited, 0, node.stderr);
    const tookMs = performance.now() - began;
    t.true(tookMs < drainMs + NOISE_MS, `${tookMs} ms`);
  });
}

test('node process: a second signal ends it at once, with 1', async (t) => {
  const node = await NodeProcess.start(t, { drainMs: 60_000 });
  const device = await login(node, 'ada');
  node.signal('SIGTERM');
  await device.next(FrameType.goaway);
  // Sooner it would count as the same press of a key.
  await new Promise((resolve) => setTimeout(resolve, SAME_PRESS_MS + 100));
  node.signal('SIGINT');
  t.is(await node.exited, 1);
});

test('comedy: threads that start after a node did have a young generation of 16 MB semi-spaces', async (t) => {
  const [bare, withNode] = (await Promise.all(['bare', 'node'].map((mode) => run('print-new-space', mode)))).map(
    Number,
  );
  // Two semi-spaces and a little.
  t.true((withNode ?? 0) > 0 && (withNode ?? 0) <= 2 * 16 * 2 ** 20 + 2 ** 20, `${withNode}`);
  t.true((bare ?? 0) > (withNode ?? 0), `${bare} without a node`);
});

test('comedy: a thread that dies before its creation is answered takes the process down, hence the empty initialize', async (t) => {
  const lines = (await run('early-death')).trim().split('\n');
  t.deepEqual(lines, ['uncaught: died early', 'creation is pending']);
});

/** @returns what a script of `test/support` prints */
async function run(script: string, ...args: string[]): Promise<string> {
  const path = fileURLToPath(new URL(`../support/${script}.js`, import.meta.url));
  return (await promisify(execFile)(process.execPath, [path, ...args])).stdout;
}

async function login(node: NodeProcess, deviceId: string): Promise<RawDevice> {
  const http = createHttpClient(node.addresses.services.BridgeActor);
  const { json } = await http.call('POST', '/v1/tokens', { key: TEST_KEYS.app, body: { app: 'demo', deviceId } });
  await http.close();
  const device = await RawDevice.open(node.addresses.tcp);
  await device.login(json.token);
  return device;
}
