import test from 'ava';
import { CLOSE_TIMEOUT_MS } from '../../transports/transport.js';
import { listening } from '../support/listening.js';
import { Opcode, rawPeer } from '../support/raw-websocket.js';
import { turns, until } from '../support/until.js';

/** Together more than the kernel takes for a peer that does not read, whatever its mood. */
const MESSAGES = 112;
const MESSAGE_BYTES = 80 * 1024;
const BEFORE_PINGS = MESSAGES - 16;
const PINGS = 5;

function numbered(index: number): Buffer {
  const message = Buffer.alloc(MESSAGE_BYTES);
  message.writeUInt32BE(index);
  return message;
}

test('websocket wire: raw writes, pongs and the close keep their order over a large backlog', async (t) => {
  const { port, link: next } = await listening(t, 'ws');
  const peer = await rawPeer(t, port);
  const link = await next();
  peer.socket.pause();
  for (let i = 0; i < BEFORE_PINGS; i++) link.write(numbered(i));
  t.true(link.transport.writableBytes > 0, 'the kernel has not taken everything');
  for (let i = 0; i < PINGS; i++) peer.send(Opcode.ping, Buffer.from([i]));
  // A message behind the pings, so that it is known when they have been read.
  peer.send(Opcode.binary, Buffer.from('behind the pings'));
  await until(() => link.chunks.length === 1);
  for (let i = BEFORE_PINGS; i < MESSAGES; i++) link.write(numbered(i));
  link.transport.close(4000, 'going away');
  link.write(Buffer.from('after the close frame'));
  peer.socket.resume();
  await until(() => peer.messages().some(({ opcode }) => opcode === Opcode.close));
  peer.send(Opcode.close, Buffer.from([0x0f, 0xa0]));
  await until(() => peer.isEnded);
  const messages = peer.messages();
  const binary = messages.filter(({ opcode }) => opcode === Opcode.binary);
  t.deepEqual(
    binary.map(({ payload }) => payload.readUInt32BE()),
    Array.from({ length: MESSAGES }, (_, i) => i),
  );
  t.true(binary.every(({ payload }) => payload.length === MESSAGE_BYTES));
  const pongs = messages.filter(({ opcode }) => opcode === Opcode.pong);
  t.true(pongs.length > 0);
  t.true(messages.findIndex(({ opcode }) => opcode === Opcode.pong) >= BEFORE_PINGS, 'pongs behind what was written');
  const last = messages.at(-1);
  t.is(last?.opcode, Opcode.close);
  t.is(last?.payload.readUInt16BE(), 4000);
  t.is(last?.payload.subarray(2).toString(), 'going away');
  await until(() => link.closes === 1);
});

test('websocket wire: messages cut anywhere and mixed with control frames come whole', async (t) => {
  const { port, link: next } = await listening(t, 'ws');
  const peer = await rawPeer(t, port);
  const link = await next();
  peer.send(Opcode.binary, Buffer.from('a'), false);
  peer.send(Opcode.ping, Buffer.from('in between'));
  peer.send(Opcode.continuation, Buffer.from('b'));
  await until(() => link.chunks.length === 1);
  t.is(link.bytes.toString(), 'ab');
  await until(() => peer.messages().length === 1);
  t.deepEqual(
    peer.messages().map(({ opcode, payload }) => [opcode, payload.toString()]),
    [[Opcode.pong, 'in between']],
  );
});

test('websocket wire: a peer that never answers the close frame is cut off', async (t) => {
  const { port, link: next } = await listening(t, 'ws');
  const peer = await rawPeer(t, port);
  const link = await next();
  const startMs = performance.now();
  link.transport.close(4000, '');
  await until(() => link.closes === 1);
  t.true(performance.now() - startMs >= CLOSE_TIMEOUT_MS - 100);
  t.deepEqual(
    peer.messages().map(({ opcode }) => opcode),
    [Opcode.close],
  );
});

test('websocket wire: after the close frame of a peer nothing is written and nothing counts as taken', async (t) => {
  const { port, link: next } = await listening(t, 'ws');
  const peer = await rawPeer(t, port);
  const link = await next();
  peer.send(Opcode.close, Buffer.from([0x11, 0x94]));
  await until(() => peer.isEnded);
  t.is(link.closes, 0, 'the peer keeps its half open');
  link.write(Buffer.from('too late'));
  link.transport.notifyDrain();
  t.true(link.transport.writableBytes > 0);
  await turns();
  t.is(link.drains, 0);
  peer.socket.end();
  await until(() => link.closes === 1);
  t.deepEqual(
    peer.messages().map(({ opcode }) => opcode),
    [Opcode.close],
  );
});

test('websocket wire: a peer that breaks the wire itself is closed by the wire', async (t) => {
  const { port, link: next } = await listening(t, 'ws');
  const peer = await rawPeer(t, port);
  const link = await next();
  // Not masked, as only a server may send.
  peer.socket.write(Buffer.from([0x82, 0x01, 0x00]));
  await until(() => peer.messages().length === 1);
  t.is(peer.messages()[0]?.payload.readUInt16BE(), 1002);
  peer.socket.destroy();
  await until(() => link.closes === 1);
  t.deepEqual(link.chunks, []);
});
