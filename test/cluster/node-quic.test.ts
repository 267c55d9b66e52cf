import { copyFileSync, mkdtempSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createCertificate } from '../support/certificate.js';
import { freePort } from '../support/listening.js';
import { Nat } from '../support/nat.js';
import { eventually, shareTestNode, startTestNode, TEST_KEYS, workerOf } from '../support/start-test-node.js';

const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
const files = createCertificate(dir);
const ca = readFileSync(files.certFile, 'utf8');
test.after.always('the certificates are removed', () => rmSync(dir, { recursive: true, force: true }));

const shared = shareTestNode({ access: { quic: { port: 0, workers: 2, ...files } } });

test('node: a device over QUIC logs in, asks, is pushed to, and a closing code reaches it', async (t) => {
  const node = shared();
  const client = node.client('ada-quic', { protocol: 'quic', ca });
  const pushes: string[] = [];
  client.business('im').onPush((push) => pushes.push(push.text()));
  await client.connect();
  const path = '/v1/apps/demo/devices/ada-quic';
  for (let i = 0; i < 20; i++) {
    const answer = await node.call('POST', `${path}/push`, { key: TEST_KEYS.im, body: { payload: `push ${i}` } });
    t.like(answer.json, { result: 'delivered' });
  }
  await eventually(() => pushes.length === 20);
  t.deepEqual(
    pushes,
    Array.from({ length: 20 }, (_, i) => `push ${i}`),
  );
  const long = 'x'.repeat(8_000);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => node.call('POST', `${path}/push`, { key: TEST_KEYS.im, body: { payload: long } })),
  );
  t.true(answers.every(({ json }) => json.result === 'delivered'));
  await eventually(() => pushes.length === 40);
  const offline = new Promise<{ code: number | undefined }>((resolve) => client.on('offline', resolve));
  await node.call('DELETE', `${path}/connection`, { key: TEST_KEYS.app });
  t.is((await offline).code, 4506);
});

test('node: devices over QUIC and TCP hear one multicast, and QUIC has workers of its own', async (t) => {
  const node = shared();
  const heard: string[] = [];
  const workers = new Map<string, Set<number>>([
    ['quic', new Set()],
    ['tcp', new Set()],
  ]);
  const clients = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => {
      const protocol = i % 2 === 0 ? 'quic' : 'tcp';
      const client = node.client(`crowd-quic-${i}`, { protocol, ca });
      client.on('online', ({ connectionId }) => workers.get(protocol)?.add(workerOf(connectionId)));
      await client.connect();
      client.business('live').onPush((push) => heard.push(`${i} ${push.text()}`));
      await client.business('live').join('stage-quic');
      return client;
    }),
  );
  const members = async () => (await node.call('GET', '/v1/groups/stage-quic', { key: TEST_KEYS.live })).json.members;
  await eventually(async () => (await members()) === clients.length);
  const body = { payload: 'curtain' };
  await node.call('POST', '/v1/groups/stage-quic/push', { key: TEST_KEYS.live, body });
  await eventually(() => heard.length === clients.length);
  const [quic = new Set<number>(), tcp = new Set<number>()] = [workers.get('quic'), workers.get('tcp')];
  t.true([...quic].every((worker) => !tcp.has(worker)));
});

test('node: a client that moves keeps its session, whichever QUIC worker the kernel gives its packets to', async (t) => {
  const node = shared();
  const nat = await Nat.open(t, Number(node.handle.addresses.quic?.split(':')[1]));
  const client = node.client('nomad', {
    ca,
    credentials: async () => ({ ...(await node.issueToken('nomad')), accessPoints: { quic: [nat.address] } }),
  });
  const online: string[] = [];
  client.on('online', ({ connectionId }) => online.push(connectionId));
  const pushes: string[] = [];
  client.business('im').onPush((push) => pushes.push(push.text()));
  await client.connect();
  // Half of the moves give its packets to the other worker.
  const MOVES = 6;
  for (let move = 0; move < MOVES; move++) {
    nat.move();
    await client.business('live').join(`stage-nomad-${move}`);
    const body = { payload: `at ${move}` };
    const answer = await node.call('POST', '/v1/apps/demo/devices/nomad/push', { key: TEST_KEYS.im, body });
    t.like(answer.json, { result: 'delivered' });
    await eventually(() => pushes.length === move + 1);
  }
  t.is(online.length, 1);
});

test('node: the bootstrap names QUIC first', async (t) => {
  const node = shared();
  const answer = await fetch(`http://${node.handle.addresses.services['ControlActor']}/v1/bootstrap`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ app: 'demo', attributes: { platform: 'node' } }),
  });
  const { protocols, accessPoints } = (await answer.json()) as { protocols: string[]; accessPoints: object };
  t.is(protocols[0], 'quic');
  t.deepEqual((accessPoints as { quic: string[] }).quic, [node.handle.addresses.quic]);
});

test('node: where nobody listens to QUIC, a client goes on to the next protocol without waiting', async (t) => {
  const node = shared();
  const client = node.client('no-quic-there', {
    ca,
    // One after the other, and none is given up for its slowness: only the failure itself makes the next one's turn.
    racing: false,
    connectTimeoutMs: 600_000,
    credentials: async () => ({
      ...(await node.issueToken('no-quic-there')),
      protocols: ['quic', 'tcp'],
      accessPoints: { quic: [`127.0.0.1:${await freePort()}`], tcp: [node.tcp] },
    }),
  });
  await client.connect();
  t.is(client.state, 'online');
});

test('node: a QUIC certificate that is renewed in its files is used without a restart', async (t) => {
  const own = createCertificate(dir, 'own.example');
  const node = await startTestNode(t, { access: { quic: { port: 0, ...own } } });
  const fresh = createCertificate(dir, 'fresh.example');
  for (const name of ['certFile', 'keyFile'] as const) {
    copyFileSync(fresh[name], own[name]);
    utimesSync(own[name], new Date(), new Date(Date.now() + 60_000));
  }
  await node.handle.reload(node.config);
  const client = await node.online('late', { protocol: 'quic', ca: readFileSync(fresh.certFile, 'utf8') });
  t.is(client.state, 'online');
});
