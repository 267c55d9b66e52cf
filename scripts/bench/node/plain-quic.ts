/**
 * A QUIC echo server as one writes it first, on quiche's native API, with the habits that its arguments name: what each costs in
 * memory is what `quic-memory` asks. `node plain-quic.js DIR [HABIT,HABIT...]`; DIR has the certificate.
 */
import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { loadQuiche, type QuicheConfig, type QuicheConnection } from '../../../transports/quic/native.js';
import { CONNECTION_ID_BYTES, readPacketHeader } from '../../../transports/quic/packet-header.js';
import { createServerConfig, MAX_DATAGRAM_BYTES } from '../../../transports/quic/server-config.js';

const STREAM = 0;
const IDLE_MS = 300_000;
const TICK_MS = 20;
/** The longest that a datagram can be, and more than any here is. */
const LONG_BUFFER_BYTES = 64 * 1024;
const WIDE_BYTES = 10_000_000;

interface Open {
  readonly connection: QuicheConnection;
  readonly into: Uint8Array;
  readonly queue: Uint8Array[];
  readonly kept: Uint8Array[];
  dueMs: number;
  timer: NodeJS.Timeout | undefined;
}

const [, , dir = '.', habitText = ''] = process.argv;
const habits = new Set(habitText.split(','));
const quiche = await loadQuiche();
const material = {
  cert: readFileSync(join(dir, 'chain.crt'), 'utf8'),
  key: readFileSync(join(dir, 'node.key'), 'utf8'),
  ticketKeys: randomBytes(48),
};
const config = createConfig();
const byId = new Map<string, Open>();
const all = new Set<Open>();
const shared = new Uint8Array(LONG_BUFFER_BYTES);
const local = { host: '127.0.0.1', port: 0 };
let slab = Buffer.allocUnsafeSlow(LONG_BUFFER_BYTES);
let slabUsed = 0;
let awake = new Set<Open>();

const socket = createSocket({
  type: 'udp4',
  lookup: ((address: string, _: unknown, done: (error: null, address: string, family: number) => void) =>
    done(null, address, 4)) as never,
});
socket.on('message', receive);
socket.bind(0, local.host, () => {
  local.port = (socket.address() as AddressInfo).port;
  process.stdout.write(`${JSON.stringify({ quic: local.port })}\n`);
});
if (!habits.has('timers')) setInterval(tick, TICK_MS);

function createConfig(): QuicheConfig {
  const made = createServerConfig(quiche, material, IDLE_MS);
  if (!habits.has('windows')) return made;
  made.setInitialMaxData(WIDE_BYTES);
  made.setInitialMaxStreamDataBidiRemote(WIDE_BYTES);
  made.setMaxStreamWindow(quiche.MAX_STREAM_WINDOW);
  made.setMaxConnectionWindow(quiche.MAX_CONNECTION_WINDOW);
  return made;
}

/** As a client's must have; a server has them where its author made one function for both. */
function configOfItsOwn(): QuicheConfig {
  if (!habits.has('authorities')) return createConfig();
  const authorities = Buffer.from(getCACertificates('default').join('\n'));
  const [key, cert] = [[Buffer.from(material.key)], [Buffer.from(material.cert)]];
  const made = quiche.Config.withBoringSslCtx(false, false, authorities, key, cert);
  made.setApplicationProtos(['trunkline/1']);
  made.setMaxIdleTimeout(IDLE_MS);
  made.setInitialMaxData(LONG_BUFFER_BYTES);
  made.setInitialMaxStreamDataBidiRemote(LONG_BUFFER_BYTES);
  made.setInitialMaxStreamsBidi(1);
  return made;
}

function accept(firstId: string, { address, port }: RemoteInfo): Open {
  const id = randomBytes(CONNECTION_ID_BYTES);
  const own = habits.has('configs') || habits.has('authorities') ? configOfItsOwn() : config;
  const open: Open = {
    connection: quiche.Connection.accept(id, null, local, { host: address, port }, own),
    into: habits.has('buffers') ? Buffer.alloc(LONG_BUFFER_BYTES) : shared,
    queue: [],
    kept: [],
    dueMs: Number.POSITIVE_INFINITY,
    timer: undefined,
  };
  byId.set(firstId, open).set(id.toString('latin1'), open);
  all.add(open);
  return open;
}

function receive(datagram: Buffer, from: RemoteInfo): void {
  const header = readPacketHeader(datagram);
  if (header === undefined) return;
  const id = header.form === 'short' ? header.dcid : header.dcid.toString('latin1');
  if (!byId.has(id) && (header.form === 'short' || !header.isInitial)) return;
  const open = byId.get(id) ?? accept(id, from);
  if (habits.has('datagrams')) open.kept.push(datagram);
  try {
    open.connection.recv(datagram, { from: { host: from.address, port: from.port }, to: local });
    if (open.connection.isEstablished()) read(open);
  } catch {
    // The end of a connection: its timer buries it.
  }
  wake(open);
}

function read({ connection, into, queue }: Open): void {
  while (connection.streamReadable(STREAM)) {
    const [bytes = 0] = connection.streamRecv(STREAM, into) ?? [];
    if (bytes > 0) queue.push(into.slice(0, bytes));
  }
}

function wake(open: Open): void {
  if (awake.size === 0) setImmediate(flushAll);
  awake.add(open);
}

function flushAll(): void {
  const turn = awake;
  awake = new Set();
  for (const open of turn) flush(open);
}

function flush(open: Open): void {
  const { connection, queue } = open;
  for (let chunk = queue[0]; chunk !== undefined; chunk = queue[0]) {
    const taken = connection.streamSend(STREAM, chunk, false) ?? 0;
    queue[0] = chunk.subarray(taken);
    if (taken < chunk.length) break;
    queue.shift();
  }
  for (;;) {
    const packet = nextPacket();
    const sent = connection.send(packet);
    if (sent === null) break;
    const [bytes, { to }] = sent;
    slabUsed += bytes;
    socket.send(packet.subarray(0, bytes), to.port, to.host);
  }
  if (connection.isClosed()) all.delete(open);
  else schedule(open, connection.timeout());
}

function nextPacket(): Uint8Array {
  if (habits.has('packets')) return Buffer.alloc(LONG_BUFFER_BYTES);
  if (slabUsed + MAX_DATAGRAM_BYTES > slab.length) {
    slab = Buffer.allocUnsafeSlow(LONG_BUFFER_BYTES);
    slabUsed = 0;
  }
  return slab.subarray(slabUsed, slabUsed + MAX_DATAGRAM_BYTES);
}

function schedule(open: Open, timeoutMs: number | null): void {
  clearTimeout(open.timer);
  if (timeoutMs === null) return;
  open.dueMs = performance.now() + timeoutMs;
  if (habits.has('timers')) open.timer = setTimeout(() => due(open), timeoutMs);
}

function tick(): void {
  const nowMs = performance.now();
  for (const open of all) if (open.dueMs <= nowMs) due(open);
}

function due(open: Open): void {
  open.connection.onTimeout();
  wake(open);
}
