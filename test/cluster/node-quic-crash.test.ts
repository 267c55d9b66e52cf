/**
 * The crash of a thread that holds QUIC connections, in a real node: its clients hear of it and come back, nobody else notices,
 * and another thread takes its place at the same port. Serial, because threads are known by the order in which they start.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { TrunklineClient } from '../../sdk/node.js';
import { allEvents } from '../sdk/client-fixture.js';
import { createCertificate } from '../support/certificate.js';
import { eventually, startTestNode, type TestNode, workerOf } from '../support/start-test-node.js';
import { crash, isRunning, watchThreads } from '../support/watch-threads.js';

const SERIALS_PER_GENERATION = 2 ** 32;
/** One for TCP and WebSocket, two for QUIC. */
const THREADS = 3;

const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
const files = createCertificate(dir);
const ca = readFileSync(files.certFile, 'utf8');
test.after.always('the certificates are removed', () => rmSync(dir, { recursive: true, force: true }));

interface Placed {
  readonly client: TrunklineClient;
  /** Of every login, in order. */
  readonly connectionIds: string[];
}

const workerNow = ({ connectionIds }: Placed) => workerOf(connectionIds.at(-1) ?? '');
const serialOf = (connectionId: string) => Number.parseInt(connectionId.split('-')[2] ?? '', 36);

async function placed(node: TestNode, deviceId: string, protocol: 'quic' | 'tcp'): Promise<Placed> {
  const client = node.client(deviceId, { protocol, ca });
  const connectionIds: string[] = [];
  client.on('online', ({ connectionId }) => connectionIds.push(connectionId));
  await client.connect();
  return { client, connectionIds };
}

/** Such a number that both QUIC threads hold some. */
async function quicClients(node: TestNode, prefix: string): Promise<Placed[]> {
  const clients: Placed[] = [];
  while (clients.length < 4 || new Set(clients.map(workerNow)).size < 2) {
    clients.push(await placed(node, `${prefix}-${clients.length}`, 'quic'));
  }
  return clients;
}

test.serial('node: a crash of a QUIC thread costs its connections only, and they come back', async (t) => {
  const threads = watchThreads(t);
  const node = await startTestNode(t, {
    workers: 1,
    drainMs: 1_000,
    access: { quic: { port: 0, workers: 2, ...files } },
  });
  t.is(threads.length, THREADS);
  const address = node.handle.addresses.quic;
  const overTcp = await placed(node, 'crash-tcp', 'tcp');
  const clients = await quicClients(node, 'crash-quic');
  const offlines = clients.map(({ client }) => allEvents(client, 'offline'));

  crash(threads[THREADS - 1]);
  const pattern = /"access worker crashed".*?"worker":(\d+)/;
  await eventually(() => pattern.test(node.logs.text()));
  const crashed = Number(pattern.exec(node.logs.text())?.[1]);
  const lost = clients.filter((client) => workerNow(client) === crashed);
  t.true(lost.length > 0 && lost.length < clients.length);

  // A client that says something is told by the new thread that its connection is gone.
  const join = ({ client }: Placed, i: number) => client.business('live').join(`stage-crash-${i}`);
  const joined = await Promise.allSettled(clients.map(join));
  t.true(joined.every(({ status }, i) => status === 'fulfilled' || lost.includes(clients[i] as Placed)));
  await eventually(() => lost.every(({ connectionIds }) => connectionIds.length === 2));
  await Promise.all(clients.map(join));
  for (const [i, placedClient] of clients.entries()) {
    const losses = lost.includes(placedClient) ? 1 : 0;
    t.is(placedClient.connectionIds.length, losses + 1);
    t.is(offlines[i]?.length, losses);
    t.is(placedClient.client.state, 'online');
  }
  t.is(overTcp.connectionIds.length, 1);
  await eventually(async () => (await node.call('GET', '/readyz')).status === 200);
  t.is(node.handle.addresses.quic, address);
  t.is(threads.length, THREADS + 1);
  t.true(threads.slice(0, THREADS - 1).every(isRunning) && threads.slice(THREADS).every(isRunning));

  const latecomers = await quicClients(node, 'after-crash');
  const onNew = latecomers.filter((client) => workerNow(client) === crashed);
  t.true(onNew.length > 0);
  for (const { connectionIds } of onNew) t.true(serialOf(connectionIds[0] ?? '') > SERIALS_PER_GENERATION);
});
