import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { createCertificate } from '../support/certificate.js';
import { startHaproxy } from '../support/proxy-program.js';
import { RawDevice } from '../support/raw-device.js';
import { eventually, startTestNode, TEST_KEYS, type TestNode } from '../support/start-test-node.js';

const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
const files = createCertificate(dir);
const ca = readFileSync(files.certFile, 'utf8');
/** HAProxy wants both in one file. */
const bundle = join(dir, 'bundle.pem');
writeFileSync(bundle, ca + readFileSync(files.keyFile, 'utf8'), { mode: 0o600 });
test.after.always('the certificates are removed', () => rmSync(dir, { recursive: true, force: true }));

const fromProxy = { port: 0, proxyProtocol: { from: ['127.0.0.0/8'] } };

/** Two connections are let in from one address, a third is not, and other addresses are not hurt. */
async function countsClients(t: ExecutionContext, node: TestNode, open: (localAddress: string) => Promise<RawDevice>) {
  const login = async (name: string, localAddress: string): Promise<RawDevice> => {
    const device = await open(localAddress);
    t.teardown(() => device.cut());
    await device.login((await node.issueToken(name)).token);
    return device;
  };
  await login('one', '127.0.0.9');
  await login('two', '127.0.0.9');
  const third = await open('127.0.0.9').catch(() => undefined);
  await third?.ended;
  const stranger = await login('four', '127.0.0.8');
  t.true(stranger.isOpen);
  const body = { payload: 'through' };
  const answer = await node.call('POST', '/v1/apps/demo/devices/four/push', { key: TEST_KEYS.im, body });
  t.like(answer.json, { result: 'delivered' });
  t.is(new TextDecoder().decode((await stranger.next(8)).payload), 'through');
}

for (const version of ['send-proxy', 'send-proxy-v2'] as const) {
  test(`haproxy: ${version} in front of tcp brings the client's address`, async (t) => {
    const node = await startTestNode(t, { workers: 1, access: { tcp: fromProxy }, limits: { connectionsPerIp: 2 } });
    const { front } = await startHaproxy(
      t,
      ['front'],
      (ports) => `listen front\n  bind 127.0.0.1:${ports.front}\n  server node ${node.tcp} ${version}`,
    );
    await countsClients(t, node, (localAddress) => RawDevice.open(`127.0.0.1:${front}`, localAddress));
    const { text } = await node.call('GET', '/metrics');
    t.regex(text, /^trunkline_refused_links_total\{reason="ip-full"\} [1-9]/m);
  });

  test(`haproxy: ${version} in front of tls passes the encrypted bytes on`, async (t) => {
    const access = { tls: { ...fromProxy, ...files } };
    const node = await startTestNode(t, { workers: 1, access, limits: { connectionsPerIp: 2 } });
    const { front } = await startHaproxy(
      t,
      ['front'],
      (ports) => `listen front\n  bind 127.0.0.1:${ports.front}\n  server node ${node.handle.addresses.tls} ${version}`,
    );
    await countsClients(t, node, async (localAddress) => {
      const raw = connect({ host: '127.0.0.1', port: front, localAddress });
      const socket = connectSecurely({ socket: raw, ca, servername: 'localhost' });
      await once(socket, 'secureConnect');
      return new RawDevice(socket);
    });
  });
}

test('haproxy: it may end TLS itself, and its extensions are passed over', async (t) => {
  const node = await startTestNode(t, { workers: 1, access: { tcp: fromProxy } });
  const { front } = await startHaproxy(
    t,
    ['front'],
    (ports) =>
      `listen front\n  bind 127.0.0.1:${ports.front} ssl crt ${bundle}\n` +
      `  server node ${node.tcp} send-proxy-v2-ssl-cn proxy-v2-options crc32c,unique-id`,
  );
  const socket = connectSecurely({ host: '127.0.0.1', port: front, ca });
  await once(socket, 'secureConnect');
  const device = new RawDevice(socket);
  t.teardown(() => device.cut());
  t.is((await device.login((await node.issueToken('ada')).token)).status, 0);
});

test('haproxy: a WebSocket through its HTTP mode, with the address of the client', async (t) => {
  const node = await startTestNode(t, { workers: 1, access: { ws: fromProxy } });
  const { front } = await startHaproxy(
    t,
    ['front'],
    (ports) =>
      `listen front\n  mode http\n  bind 127.0.0.1:${ports.front}\n` +
      `  server node ${new URL(node.ws).host} send-proxy-v2`,
  );
  const client = node.client('ada', {
    protocol: 'ws',
    credentials: async () => ({
      ...(await node.issueToken('ada')),
      accessPoints: { ws: [`ws://127.0.0.1:${front}/connect`] },
    }),
  });
  const pushes: string[] = [];
  client.business('im').onPush((push) => pushes.push(push.text()));
  await client.connect();
  const body = { payload: 'through' };
  await node.call('POST', '/v1/apps/demo/devices/ada/push', { key: TEST_KEYS.im, body });
  await eventually(() => pushes.length === 1);
  t.deepEqual(pushes, ['through']);
});

test('haproxy: its health checks are answered and refused by nobody', async (t) => {
  const node = await startTestNode(t, { workers: 1, access: { tcp: fromProxy } });
  const { front } = await startHaproxy(
    t,
    ['front'],
    (ports) =>
      `listen front\n  bind 127.0.0.1:${ports.front}\n` +
      `  server node ${node.tcp} send-proxy-v2 check check-send-proxy inter 50ms fall 1 rise 1`,
  );
  await eventually(async () => {
    const { text } = await node.call('GET', '/metrics');
    return Number(/^trunkline_accepted_total (\d+)/m.exec(text)?.[1] ?? 0) > 10;
  });
  const device = await RawDevice.open(`127.0.0.1:${front}`);
  t.teardown(() => device.cut());
  t.is((await device.login((await node.issueToken('ada')).token)).status, 0);
  t.notRegex((await node.call('GET', '/metrics')).text, /reason="proxy"/);
});

test('haproxy: without its header a listener that wants one takes nothing', async (t) => {
  const node = await startTestNode(t, { workers: 1, access: { tcp: fromProxy } });
  const { front } = await startHaproxy(
    t,
    ['front'],
    (ports) => `listen front\n  bind 127.0.0.1:${ports.front}\n  server node ${node.tcp}`,
  );
  const device = await RawDevice.open(`127.0.0.1:${front}`);
  device.send({ type: 1, minVersion: 1, maxVersion: 1, token: 'none', attributes: {} });
  await device.ended;
  t.deepEqual(device.frames, []);
  t.regex((await node.call('GET', '/metrics')).text, /^trunkline_refused_links_total\{reason="proxy"\} [1-9]/m);
});
