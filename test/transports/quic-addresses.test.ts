/** Addresses of QUIC: both families, ports at which nobody listens, and a device that changes its network. */
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { createSecureMaterial } from '../support/certificate.js';
import { freePort, listening } from '../support/listening.js';
import { type NetworkHost, TestNetwork } from '../support/net-namespace.js';
import { QuicClient } from '../support/quic-client.js';
import { until } from '../support/until.js';

const ROAMER = `${import.meta.dirname}/../support/quic-roamer.js`;

async function greets(t: ExecutionContext, server: Awaited<ReturnType<typeof listening>>, address: string, index = 0) {
  const client = await QuicClient.open(t, address);
  t.is(client.error, undefined);
  client.send('hello');
  const link = await server.link(index);
  link.write(Buffer.from('welcome'));
  await until(() => client.received === 7 && link.bytes.length === 5);
  return link.transport.remoteAddress;
}

test('quic: a server at an address of IPv6, however the client spells it', async (t) => {
  const server = await listening(t, 'quic', { host: '::1' });
  t.is(await greets(t, server, `[::1]:${server.port}`), '::1');
  t.is(await greets(t, server, `[0:0:0:0:0:0:0:1]:${server.port}`, 1), '::1');
});

test('quic: a server at all addresses serves both families', async (t) => {
  const server = await listening(t, 'quic', { host: '::' });
  t.is(await greets(t, server, `[::1]:${server.port}`), '::1');
  t.is(await greets(t, server, `127.0.0.1:${server.port}`, 1), '::ffff:127.0.0.1');
});

for (const host of ['127.0.0.1', '[::1]']) {
  test(`quic: a port of ${host} at which nobody listens is known from the system, not from a timeout`, async (t) => {
    const client = await QuicClient.open(t, `${host}:${await freePort()}`);
    t.false(client.isOpen);
    t.is(client.closes, 1);
    t.regex(client.error?.message ?? '', /cannot be reached over UDP: E(CONNREFUSED|CONNRESET)/);
  });
}

test('quic: a device that loses its address and gets another one keeps its connection', async (t) => {
  const network = TestNetwork.create(t);
  const host = network.addHost();
  const secure = createSecureMaterial('server.example', [network.address]);
  const server = await listening(t, 'quic', { host: network.address, secure });
  const device = await roamer(t, host, `${network.address}:${server.port}`, secure.cert);
  device.say('at home');
  const link = await server.link();
  await until(() => link.bytes.toString() === 'at home');
  t.is(link.transport.remoteAddress, host.innerAddress);

  inside(host, 'addr', 'del', `${host.innerAddress}/24`, 'dev', 'inner');
  inside(host, 'route', 'add', `${network.address}/32`, 'dev', 'outer', 'via', host.nearAddress);
  device.say(', and away');
  await until(() => link.bytes.toString() === 'at home, and away');
  link.write(Buffer.from('still there'));
  await until(() => device.heard() === 'still there');
  t.is(server.links.length, 1);
  t.is(link.closes, 0);
});

function inside(host: NetworkHost, ...args: string[]): void {
  const [ip = '', ...netns] = host.wrapper;
  execFileSync(ip, [...netns, 'ip', ...args], { stdio: 'pipe' });
}

/** A client of the SDK in the namespace, in a process of its own. */
async function roamer(t: ExecutionContext, host: NetworkHost, address: string, cert: string) {
  const dir = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const ca = join(dir, 'ca.crt');
  writeFileSync(ca, cert);
  const [ip = '', ...netns] = host.wrapper;
  const child = spawn(ip, [...netns, process.execPath, ROAMER, address, ca], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill());
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  await until(() => lines.length > 0);
  t.is(lines[0], 'open');
  return {
    say: (text: string) => child.stdin.write(text),
    heard: () => lines.slice(1).join(''),
  };
}
