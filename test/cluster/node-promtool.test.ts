/**
 * What Prometheus's own lint says of a real node's metrics: `promtool check metrics`, which also parses them. The node
 * has all four listeners, and everything that counts something has happened at least once.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { FrameType } from '../../protocol/index.js';
import { ACCESS_PROTOCOLS } from '../../transports/index.js';
import { createCertificate } from '../support/certificate.js';
import { eventually, startTestNode, TEST_KEYS } from '../support/start-test-node.js';
import { startBackEnd } from '../upstream/real-back-end.js';

/** Installed by scripts/setup-tests.sh. */
const PROMTOOL = '/usr/bin/promtool';

interface Verdict {
  readonly code: number | null;
  readonly output: string;
}

function checkMetrics(text: string): Promise<Verdict> {
  const child = spawn(PROMTOOL, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  child.stdin.end(text);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

test('promtool: finds nothing in the metrics of a node with TLS, traffic, pushes, events and refusals', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const files = createCertificate(dir);
  const ca = readFileSync(files.certFile, 'utf8');
  const backEnd = await startBackEnd(t, (_request, response) => response.end('hi'));
  const node = await startTestNode(t, {
    upstreamUrl: backEnd.url,
    events: { connected: true, disconnected: true },
    report: { share: 1 },
    access: { tls: { port: 0, ...files }, wss: { port: 0, ...files }, quic: { port: 0, ...files } },
  });
  for (const protocol of ACCESS_PROTOCOLS) {
    const client = await node.online(`over-${protocol}`, { protocol, ca });
    await client.business('im').request('hello');
    await client.business('live').join('stage-1');
  }
  const push = (path: string, key: string) => node.call('POST', path, { key, body: { payload: 'x' } });
  for (const name of [...ACCESS_PROTOCOLS, 'nothing']) {
    await push(`/v1/apps/demo/devices/over-${name}/push`, TEST_KEYS.im);
  }
  await push('/v1/groups/stage-1/push', TEST_KEYS.live);
  const measuring = await node.rawDevice('measuring');
  const phases = { 'resolve-ms': '1', 'connect-ms': '20', 'secure-ms': '30', 'login-ms': '9', 'rtt-ms': '8.5' };
  const counts = { pings: '3', lost: '1', losers: '2', why: 'raced', 'heartbeat-ms': '90000' };
  measuring.send({ type: FrameType.report, measurements: { ...phases, ...counts } });
  const stranger = await node.rawLink();
  stranger.send({ type: FrameType.ping, opaque: 1 });
  await stranger.ended;
  await node.call('DELETE', '/v1/apps/demo/devices/over-tls/connection', { key: TEST_KEYS.app });
  const metrics = async () => (await node.call('GET', '/metrics')).text;
  await eventually(async () => /trunkline_events_total\{[^}]*"disconnected"[^}]*\} 1/.test(await metrics()));

  await eventually(async () => /trunkline_client_reports_total\{result="taken"\} [1-9]/.test(await metrics()));

  // One right behind another: a gauge over the time between two scrapes has nothing to tell.
  for (const text of [await metrics(), await metrics()]) {
    t.deepEqual(await checkMetrics(text), { code: 0, output: '' });
    t.notRegex(text, /nan$/im);
  }
});

test('promtool: the check is one that finds something', async (t) => {
  const { code, output } = await checkMetrics('# TYPE some_total gauge\nsome_total 1\n');
  t.not(code, 0);
  t.regex(output, /_total/);
});
