import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import test from 'ava';
import { createCertificate } from '../support/certificate.js';
import { eventually, shareTestNode, startTestNode, TEST_KEYS } from '../support/start-test-node.js';

const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
const files = createCertificate(dir);
const ca = readFileSync(files.certFile, 'utf8');
test.after.always('the certificates are removed', () => rmSync(dir, { recursive: true, force: true }));

const shared = shareTestNode({ access: { tls: { port: 0, ...files }, wss: { port: 0, ...files } } });

for (const protocol of ['tls', 'wss'] as const) {
  test(`node: a device over ${protocol} logs in, is pushed to, and a closing code reaches it`, async (t) => {
    const node = shared();
    const client = node.client(`ada-${protocol}`, { protocol, ca });
    const pushes: string[] = [];
    client.business('im').onPush((push) => pushes.push(push.text()));
    await client.connect();
    const path = `/v1/apps/demo/devices/ada-${protocol}`;
    for (let i = 0; i < 20; i++) {
      const answer = await node.call('POST', `${path}/push`, { key: TEST_KEYS.im, body: { payload: `push ${i}` } });
      t.like(answer.json, { result: 'delivered' });
    }
    await eventually(() => pushes.length === 20);
    t.deepEqual(
      pushes,
      Array.from({ length: 20 }, (_, i) => `push ${i}`),
    );
    // As many at once as make one write of many frames, and of more than one TLS record.
    const long = 'x'.repeat(8_000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        node.call('POST', `${path}/push`, { key: TEST_KEYS.im, body: { payload: long } }),
      ),
    );
    t.true(answers.every(({ json }) => json.result === 'delivered'));
    await eventually(() => pushes.length === 40);
    const offline = new Promise<{ code: number | undefined }>((resolve) => client.on('offline', resolve));
    await node.call('DELETE', `${path}/connection`, { key: TEST_KEYS.app });
    t.is((await offline).code, 4506);
  });
}

test('node: many TLS devices hear one multicast', async (t) => {
  const node = shared();
  const heard: string[] = [];
  const clients = await Promise.all(
    ['tls', 'wss', 'tls', 'wss'].map(async (protocol, i) => {
      const client = await node.online(`crowd-${i}`, { protocol: protocol as 'tls' | 'wss', ca });
      client.business('live').onPush((push) => heard.push(`${i} ${push.text()}`));
      await client.business('live').join('stage-tls');
      return client;
    }),
  );
  const members = async () => (await node.call('GET', '/v1/groups/stage-tls', { key: TEST_KEYS.live })).json.members;
  await eventually(async () => (await members()) === clients.length);
  const body = { payload: 'curtain' };
  await node.call('POST', '/v1/groups/stage-tls/push', { key: TEST_KEYS.live, body });
  await eventually(() => heard.length === clients.length);
  t.deepEqual(heard.toSorted(), ['0 curtain', '1 curtain', '2 curtain', '3 curtain']);
});

test('node: a session that one worker began is resumed by another', async (t) => {
  const [host, port] = (shared().handle.addresses.tls ?? '').split(':');
  const open = async (session?: Buffer): Promise<TLSSocket> => {
    const socket = connect({ host, port: Number(port), ca, ...(session === undefined ? {} : { session }) });
    socket.on('error', () => {});
    t.teardown(() => {
      socket.destroy();
    });
    return socket;
  };
  const first = await open();
  const [session] = (await once(first, 'session')) as [Buffer];
  const again = await Promise.all(
    Array.from({ length: 16 }, async () => {
      const socket = await open(session);
      await once(socket, 'secureConnect');
      return socket.isSessionReused();
    }),
  );
  t.true(again.every(Boolean));
});

test('node: metrics tell full and resumed handshakes apart, and what was refused', async (t) => {
  const node = shared();
  const [host, port] = (node.handle.addresses.tls ?? '').split(':');
  await node.online('counted', { protocol: 'tls', ca });
  const client = connect({ host, port: Number(port), maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
  await once(client, 'error');
  await eventually(async () => (await node.call('GET', '/metrics', {})).text.includes('reason="tls"'));
  const { text } = await node.call('GET', '/metrics', {});
  t.regex(text, /^trunkline_tls_handshakes_total\{kind="full"\} [1-9]/m);
  t.regex(text, /^trunkline_refused_links_total\{reason="tls"\} [1-9]/m);
});

test('node: a certificate that is renewed in its files is used without a restart', async (t) => {
  const own = createCertificate(dir, 'own.example');
  const node = await startTestNode(t, { access: { tls: { port: 0, ...own } } });
  const fresh = createCertificate(dir, 'fresh.example');
  for (const name of ['certFile', 'keyFile'] as const) {
    copyFileSync(fresh[name], own[name]);
    utimesSync(own[name], new Date(), new Date(Date.now() + 60_000));
  }
  await node.handle.reload(node.config);
  const [host, port] = (node.handle.addresses.tls ?? '').split(':');
  const names = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const name = socket.getPeerCertificate().subject.CN;
      socket.destroy();
      return name;
    }),
  );
  t.deepEqual([...new Set(names)], ['fresh.example']);
});
