/** What strangers may send to a QUIC port, looked at from outside: a real node, real datagrams. */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { quicConnector } from '../../sdk/transports/quic-connector.js';
import { createCertificate } from '../support/certificate.js';
import { Nat } from '../support/nat.js';
import { QuicClient } from '../support/quic-client.js';
import { eventually, shareTestNode, TEST_KEYS } from '../support/start-test-node.js';

const dir = mkdtempSync(join(tmpdir(), 'trunkline-test-'));
const files = createCertificate(dir);
const ca = readFileSync(files.certFile, 'utf8');
test.after.always('the certificates are removed', () => rmSync(dir, { recursive: true, force: true }));

const shared = shareTestNode({ access: { quic: { port: 0, ...files } } });
const port = () => Number(shared().handle.addresses.quic?.split(':')[1]);

/** A peer that counts what comes back and answers nothing. */
class Stranger {
  readonly answers: Buffer[] = [];
  readonly #socket: Socket;
  sentBytes = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (datagram) => this.answers.push(datagram));
  }

  static async open(t: ExecutionContext): Promise<Stranger> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    t.teardown(() => {
      socket.close();
    });
    return new Stranger(socket);
  }

  get answeredBytes(): number {
    return this.answers.reduce((sum, { length }) => sum + length, 0);
  }

  send(datagram: Uint8Array): Promise<void> {
    this.sentBytes += datagram.length;
    return new Promise((resolve) => this.#socket.send(datagram, port(), '127.0.0.1', () => resolve()));
  }

  /** Resolves when the server has read all that was sent: it answers an unknown version. */
  async seen(): Promise<void> {
    const before = this.answers.length;
    const id = randomBytes(8);
    const probe = Buffer.concat([
      Buffer.from('c00a1a2a3a08', 'hex'),
      id,
      Buffer.from('00', 'hex'),
      Buffer.alloc(1_190),
    ]);
    await eventually(async () => {
      await this.send(probe);
      await immediate();
      return this.answers.slice(before).some((answer) => answer.includes(id));
    });
  }
}

/** The first datagrams of a real client, with and without a token. */
async function realInitials(t: ExecutionContext): Promise<Buffer[]> {
  const nat = await Nat.open(t, port());
  const seen: Buffer[] = [];
  nat.passes = (datagram, direction) => {
    if (direction === 'out') seen.push(Buffer.from(datagram));
    return true;
  };
  const client = await QuicClient.open(t, nat.address, quicConnector({ ca }));
  t.true(client.isOpen);
  return seen.slice(0, 3);
}

/** A device that was there before, and still is served. */
async function served(t: ExecutionContext, name: string, protocol: 'quic' | 'tcp') {
  const node = shared();
  const client = await node.online(name, { protocol, ca });
  const pushes: string[] = [];
  client.business('im').onPush((push) => pushes.push(push.text()));
  let pushed = 0;
  return async () => {
    const body = { payload: `${++pushed}` };
    const answer = await node.call('POST', `/v1/apps/demo/devices/${name}/push`, { key: TEST_KEYS.im, body });
    t.like(answer.json, { result: 'delivered' });
    await eventually(() => pushes.length === pushed);
  };
}

test.serial('hostile: noise on the QUIC port is not answered and disturbs nobody', async (t) => {
  const check = await served(t, 'beside-noise', 'quic');
  const stranger = await Stranger.open(t);
  for (let i = 0; i < 3_000; i++) {
    const noise = randomBytes(1 + ((i * 37) % 1_400));
    // A short header with an unknown id is answered by a reset, and an unknown version by a list.
    noise[0] = (noise[0] as number) & 0x3f;
    await stranger.send(noise);
  }
  t.is(stranger.answers.length, 0);
  await stranger.seen();
  await check();
});

test.serial('hostile: cut, flipped and repeated Initials make no connection', async (t) => {
  const check = await served(t, 'beside-initials', 'quic');
  const stranger = await Stranger.open(t);
  for (const initial of await realInitials(t)) {
    for (let length = 0; length < initial.length; length += 7) await stranger.send(initial.subarray(0, length));
    for (let at = 0; at < initial.length; at += 11) {
      const flipped = Buffer.from(initial);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      await stranger.send(flipped);
    }
    for (let i = 0; i < 20; i++) await stranger.send(initial);
  }
  await stranger.seen();
  // Whatever came back is a Retry, a list of versions or a reset, never a handshake.
  t.true(stranger.answers.every(({ length }) => length < 256));
  await check();
});

test.serial('hostile: who does not answer gets less than three times what it sent', async (t) => {
  const [first = Buffer.alloc(0)] = await realInitials(t);
  const shapes = [
    first,
    Buffer.concat([Buffer.from('c0', 'hex'), Buffer.from('deadbeef', 'hex'), first.subarray(5)]),
    Buffer.concat([Buffer.from('40', 'hex'), randomBytes(40)]),
    Buffer.concat([Buffer.from('40', 'hex'), randomBytes(60)]),
    Buffer.concat([Buffer.from('40', 'hex'), randomBytes(1_200)]),
    first.subarray(0, 1_199),
    first.subarray(0, 60),
  ];
  for (const [i, shape] of shapes.entries()) {
    const stranger = await Stranger.open(t);
    for (let n = 0; n < 50; n++) await stranger.send(shape);
    const probe = await Stranger.open(t);
    await probe.seen();
    t.true(stranger.answeredBytes < 3 * stranger.sentBytes, `shape ${i}`);
    // As it is, an answer is never longer than its question.
    t.true(stranger.answeredBytes <= stranger.sentBytes, `shape ${i}`);
  }
});

test.serial('hostile: a flood of Initials keeps no memory and no connection, and others are served', async (t) => {
  const node = shared();
  const checks = [await served(t, 'flooded-quic', 'quic'), await served(t, 'flooded-tcp', 'tcp')];
  const [first = Buffer.alloc(0)] = await realInitials(t);
  const strangers = await Promise.all(Array.from({ length: 8 }, () => Stranger.open(t)));
  const flood = async (datagrams: number): Promise<void> => {
    for (let i = 0; i < datagrams; i++) {
      const initial = Buffer.from(first);
      // Another connection each.
      randomBytes(8).copy(initial, 6);
      await strangers[i % strangers.length]?.send(initial);
    }
  };
  await flood(5_000);
  const before = process.memoryUsage.rss();
  await flood(30_000);
  for (const check of checks) await check();
  const grownMiB = (process.memoryUsage.rss() - before) / 1024 / 1024;
  // 30,000 connections would take more than a gigabyte.
  t.true(grownMiB < 200, `${grownMiB} MiB`);
  const { text } = await node.call('GET', '/metrics', {});
  t.notRegex(text, /trunkline_refused_links_total\{reason="(node-full|ip-full|memory)"/);
});
