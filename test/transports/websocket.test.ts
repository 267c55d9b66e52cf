import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { SUBPROTOCOL } from '../../transports/index.js';
import { listening } from '../support/listening.js';
import { turns, until } from '../support/until.js';

const HANDSHAKE_LIMIT = 8_196;

async function linked(t: ExecutionContext) {
  const server = await listening(t, 'ws');
  const client = new WebSocket(`ws://127.0.0.1:${server.port}/connect?ignored=1`, SUBPROTOCOL);
  const messages: Buffer[] = [];
  const closes: { code: number; reason: string }[] = [];
  client.on('message', (data, isBinary) => {
    t.true(isBinary);
    messages.push(data as Buffer);
  });
  client.on('close', (code, reason) => closes.push({ code, reason: reason.toString() }));
  client.on('error', () => {});
  t.teardown(() => client.terminate());
  const link = await server.link();
  await until(() => client.readyState === WebSocket.OPEN);
  return { client, link, messages, closes };
}

test('websocket: messages of every length form pass both ways', async (t) => {
  const { client, link, messages } = await linked(t);
  link.transport.allowMessageBytes(100_000);
  const sizes = [0, 1, 125, 126, 65_535, 65_536, 70_000];
  for (const size of sizes) {
    link.write(Buffer.alloc(size, size % 251));
    client.send(Buffer.alloc(size, size % 251));
  }
  await until(() => messages.length === sizes.length && link.chunks.length === sizes.length);
  const expected = sizes.map((size) => Buffer.alloc(size, size % 251));
  t.deepEqual(messages, expected);
  t.deepEqual(
    link.chunks.map((chunk) => Buffer.from(chunk)),
    expected,
  );
  t.is(client.protocol, SUBPROTOCOL);
  t.is(client.extensions, '');
});

test('websocket: close carries its code and reason and ends both sides once', async (t) => {
  const { link, closes } = await linked(t);
  link.transport.close(4505, 'a newer login');
  t.true(link.transport.writableBytes > 0);
  await until(() => closes.length === 1 && link.closes === 1);
  t.deepEqual(closes, [{ code: 4505, reason: 'a newer login' }]);
  link.transport.close(4000, 'again');
  await turns();
  t.is(link.closes, 1);
});

test('websocket: the client may close as well, or just be gone', async (t) => {
  for (const leave of [(client: WebSocket) => client.close(4500), (client: WebSocket) => client.terminate()]) {
    const { client, link } = await linked(t);
    leave(client);
    await until(() => link.closes > 0);
    await turns();
    t.is(link.closes, 1);
    t.true(link.transport.writableBytes > 0);
  }
});

test('websocket: destroy cuts the link without a close frame', async (t) => {
  const { link, closes } = await linked(t);
  link.transport.destroy();
  await until(() => closes.length === 1 && link.closes === 1);
  t.is(closes[0]?.code, 1006);
});

test('websocket: a text message is a violation, and is not delivered', async (t) => {
  const { client, link } = await linked(t);
  client.send('text');
  await until(() => link.violations.length === 1);
  t.deepEqual(link.violations, ['text message on a binary protocol']);
  t.deepEqual(link.chunks, []);
});

test('websocket: before the login a message has the limit of a stranger', async (t) => {
  const { client, link, closes } = await linked(t);
  client.send(Buffer.alloc(HANDSHAKE_LIMIT));
  await until(() => link.chunks.length === 1);
  client.send(Buffer.alloc(HANDSHAKE_LIMIT + 1));
  await until(() => closes.length === 1 && link.closes === 1);
  t.is(closes[0]?.code, 1009);
  t.is(link.chunks.length, 1);
});

test('websocket: allowMessageBytes raises the limit, and the new one holds', async (t) => {
  const { client, link, closes } = await linked(t);
  link.transport.allowMessageBytes(100_000);
  client.send(Buffer.alloc(100_000, 1));
  await until(() => link.chunks.length === 1);
  t.is(link.chunks[0]?.length, 100_000);
  client.send(Buffer.alloc(100_001));
  await until(() => closes.length === 1 && link.closes === 1);
  t.is(closes[0]?.code, 1009);
  t.is(link.chunks.length, 1);
});

test('websocket: a fragmented message comes as one piece, and its limit is that of the whole', async (t) => {
  const { client, link, closes } = await linked(t);
  client.send(Buffer.from('one '), { fin: false });
  client.send(Buffer.from('two '), { fin: false });
  client.send(Buffer.from('three'));
  await until(() => link.chunks.length === 1);
  t.is(link.bytes.toString(), 'one two three');
  client.send(Buffer.alloc(HANDSHAKE_LIMIT - 10), { fin: false });
  client.send(Buffer.alloc(11));
  await until(() => closes.length === 1);
  t.is(closes[0]?.code, 1009);
  t.is(link.chunks.length, 1);
});

test('websocket: what a peer does not read stays counted, and onDrain tells when it was taken', async (t) => {
  const { client, link, messages } = await linked(t);
  client.pause();
  const message = Buffer.alloc(1024 * 1024);
  for (let i = 0; i < 16; i++) link.write(message);
  t.true(link.transport.writableBytes > 0);
  link.transport.notifyDrain();
  await turns();
  t.is(link.drains, 0);
  client.resume();
  await until(() => link.drains === 1 && messages.length === 16);
  t.is(link.transport.writableBytes, 0);
});
