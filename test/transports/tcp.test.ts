import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { CLOSE_TIMEOUT_MS } from '../../transports/transport.js';
import { type Link, listening } from '../support/listening.js';
import { turns, until } from '../support/until.js';

/** More than the kernel takes for a peer that does not read. */
const BACKLOG = Buffer.alloc(16 * 1024 * 1024, 1);

async function linked(t: ExecutionContext, options: { allowHalfOpen?: boolean } = {}) {
  const server = await listening(t, 'tcp');
  const client = connect({ host: '127.0.0.1', port: server.port, ...options });
  client.on('error', () => {});
  t.teardown(() => {
    client.destroy();
  });
  return { client, link: await server.link(), server };
}

function received(client: Socket): () => Buffer {
  const chunks: Buffer[] = [];
  client.on('data', (chunk) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}

test('tcp: bytes pass both ways, in order', async (t) => {
  const { client, link } = await linked(t);
  const read = received(client);
  client.write('to the ');
  client.write('server');
  link.write(Buffer.from('to the '));
  link.write(Buffer.from('client'));
  await until(() => link.bytes.length === 13 && read().length === 13);
  t.is(link.bytes.toString(), 'to the server');
  t.is(read().toString(), 'to the client');
  t.is(link.transport.remoteAddress, '127.0.0.1');
  t.is(link.transport.writableBytes, 0);
});

test('tcp: what a peer does not read stays counted, and onDrain tells when it was taken', async (t) => {
  const { client, link } = await linked(t);
  client.pause();
  link.write(BACKLOG);
  t.true(link.transport.writableBytes > 0);
  link.transport.notifyDrain();
  await turns();
  t.is(link.drains, 0);
  let bytes = 0;
  client.on('data', (chunk) => {
    bytes += chunk.length;
  });
  client.resume();
  await until(() => link.drains === 1);
  t.is(link.transport.writableBytes, 0);
  await until(() => bytes === BACKLOG.length);
  t.is(link.drains, 1);
});

test('tcp: onDrain comes when nothing waits at all', async (t) => {
  const { link } = await linked(t);
  link.transport.notifyDrain();
  await until(() => link.drains === 1);
  t.pass();
});

test('tcp: close delivers what was written before it, then ends', async (t) => {
  const { client, link } = await linked(t);
  const read = received(client);
  const words = Buffer.alloc(256 * 1024, 1);
  link.write(words);
  link.transport.close(4000, 'going away');
  await until(() => client.closed);
  await until(() => link.closes === 1);
  t.is(read().length, words.length);
});

test('tcp: nothing is written after close, and nothing counts as taken', async (t) => {
  const { client, link } = await linked(t, { allowHalfOpen: true });
  const read = received(client);
  link.write(Buffer.from('last words'));
  link.transport.close(4500, 'bye');
  link.write(Buffer.from('too late'));
  link.transport.notifyDrain();
  t.true(link.transport.writableBytes > 0);
  await until(() => client.readableEnded);
  t.is(read().toString(), 'last words');
  t.is(link.drains, 0);
  t.is(link.closes, 0);
});

test('tcp: a peer that keeps its half open after close is cut off', async (t) => {
  const { client, link } = await linked(t, { allowHalfOpen: true });
  client.resume();
  const startMs = performance.now();
  link.transport.close(4500, 'bye');
  await until(() => link.closes === 1);
  t.true(performance.now() - startMs >= CLOSE_TIMEOUT_MS - 100);
  client.on('error', () => {});
  t.false(client.writableFinished);
});

test('tcp: a peer that does not read is cut off after close', async (t) => {
  const { client, link } = await linked(t);
  client.pause();
  link.write(BACKLOG);
  link.transport.close(4003, 'slow');
  await until(() => link.closes === 1);
  t.pass();
});

test('tcp: a peer that is gone or resets ends the link once', async (t) => {
  for (const leave of [(socket: Socket) => socket.destroy(), (socket: Socket) => socket.resetAndDestroy()]) {
    const { client, link } = await linked(t);
    leave(client);
    await until(() => link.closes > 0);
    await turns();
    t.is(link.closes, 1);
    t.true(link.transport.writableBytes > 0);
    link.write(Buffer.from('nobody listens'));
    link.transport.notifyDrain();
    await turns();
    t.is(link.drains, 0);
  }
});

test('tcp: destroy cuts the link now', async (t) => {
  const { client, link } = await linked(t);
  client.resume();
  link.transport.destroy();
  t.true(link.transport.writableBytes > 0);
  await until(() => link.closes === 1 && client.closed);
  t.pass();
});

test('tcp: a handler that takes over hears what comes from then on', async (t) => {
  const { client, link } = await linked(t);
  client.write('first');
  await until(() => link.bytes.length === 5);
  const later: Uint8Array[] = [];
  const next: Pick<Link, 'onBytes' | 'onDrain' | 'onViolation' | 'onClose'> = {
    onBytes: (bytes) => void later.push(bytes),
    onDrain: () => {},
    onViolation: () => {},
    onClose: () => void later.push(Buffer.from('closed')),
  };
  link.transport.handler = next;
  client.end('second');
  await until(() => later.length === 2);
  t.is(Buffer.concat(later).toString(), 'secondclosed');
  t.is(link.bytes.toString(), 'first');
  t.is(link.closes, 0);
});

test('tcp: stop accepts nothing new and keeps open links', async (t) => {
  const { client, link, server } = await linked(t);
  await server.listener.stop();
  const late = connect({ host: '127.0.0.1', port: server.port });
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => late.once('error', resolve));
  // A link that came in just before the socket closed is reset.
  t.regex(error.code ?? '', /^(ECONNREFUSED|ECONNRESET)$/);
  client.write('still here');
  await until(() => link.bytes.length === 10);
  t.is(link.closes, 0);
});
