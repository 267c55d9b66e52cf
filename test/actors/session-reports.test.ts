/** REPORT, and the heartbeat that a client announces in it or in CONNECT. */
import test from 'ava';
import type { MeasurementSink } from '../../actors/ports.js';
import { CloseCode, FrameType, type StringMap } from '../../protocol/index.js';
import { connectFrame, MemoryClient, online } from '../support/memory-client.js';
import { createTestNode, type TestNode, tokenFor } from '../support/test-worker.js';
import { turns } from '../support/until.js';

async function onlineSaying(node: TestNode, attributes: StringMap): Promise<MemoryClient> {
  const client = new MemoryClient(node);
  client.send(connectFrame(tokenFor('a'), { attributes }));
  await turns();
  return client;
}

function report(client: MemoryClient, measurements: StringMap): void {
  client.send({ type: FrameType.report, measurements });
}

for (const [announced, inForceMs] of [
  ['120000', 120_000],
  ['500000', 180_000],
  ['5', 30_000],
  ['soon', 60_000],
] as const) {
  test(`session: a client that announces a heartbeat of ${announced} is told ${inForceMs}`, async (t) => {
    const client = await onlineSaying(createTestNode(), { 'heartbeat-ms': announced });
    t.is(client.connack?.heartbeatMs, inForceMs);
  });
}

test('session: the heartbeat announced in CONNECT is judged by, and the dead are found as fast as ever', async (t) => {
  const node = createTestNode();
  const client = await onlineSaying(node, { 'heartbeat-ms': '120000' });
  node.advance(149_000);
  await turns();
  t.deepEqual(client.of(FrameType.ping), []);
  node.advance(1_500);
  await turns();
  t.is(client.of(FrameType.ping).length, 1);
  node.advance(151_000);
  t.is(client.closeCode, CloseCode.heartbeatTimeout);
});

test('session: a REPORT shortens and lengthens the heartbeat of a live connection', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  report(client, { 'heartbeat-ms': '30000' });
  node.advance(38_000);
  await turns();
  t.is(client.of(FrameType.ping).length, 1, 'the wheel was told that it is due sooner');
  report(client, { 'heartbeat-ms': '170000' });
  node.advance(212_000);
  await turns();
  t.is(client.of(FrameType.ping).length, 1);
  node.advance(1_000);
  await turns();
  t.is(client.of(FrameType.ping).length, 2);
});

test('session: a REPORT with garbage changes nothing and closes nothing', async (t) => {
  const node = createTestNode();
  const client = await online(node, 'a');
  for (const text of ['', '-1', 'NaN', '9'.repeat(40)]) report(client, { 'heartbeat-ms': text, 'rtt-ms': text });
  node.advance(75_500);
  await turns();
  t.is(client.of(FrameType.ping).length, 1);
  t.is(client.transport.closed, undefined);
});

test('session: measurements go on with what the client said of itself, at a bounded rate', async (t) => {
  const taken: Parameters<MeasurementSink['take']>[] = [];
  const node = createTestNode({ measurements: { take: (...report) => taken.push(report) } });
  const client = await onlineSaying(node, { region: 'eu', 'app-version': '1.2.3' });
  report(client, { 'rtt-ms': '5' });
  t.deepEqual(taken, [[{ region: 'eu', appVersion: '1.2.3' }, client.transport.protocol, { 'rtt-ms': '5' }]]);
  for (let i = 0; i < 100; i += 1) report(client, { 'rtt-ms': '5', 'heartbeat-ms': '30000' });
  t.is(taken.length, 10);
  t.is(node.worker.counters.limitedReports, 91);
  node.advance(2_000);
  report(client, { 'rtt-ms': '6' });
  t.is(taken.length, 11);
  t.is(client.transport.closed, undefined);
});
