import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { quicConnector } from '../../sdk/transports/quic-connector.js';
import { createSecureMaterial, testSecureMaterial } from '../support/certificate.js';
import { listening } from '../support/listening.js';
import { Nat } from '../support/nat.js';
import { QuicClient } from '../support/quic-client.js';
import { turns, until } from '../support/until.js';

async function linked(t: ExecutionContext, options: Parameters<typeof listening>[2] = {}) {
  const server = await listening(t, 'quic', options);
  const client = await QuicClient.open(t, `127.0.0.1:${server.port}`);
  t.is(client.error, undefined);
  // The server hears of a stream by its first bytes.
  client.send('hello ');
  const link = await server.link();
  return { client, server, link };
}

test('quic: bytes pass both ways, in order', async (t) => {
  const { client, link, server } = await linked(t);
  client.send('to the ');
  client.send('server');
  link.write(Buffer.from('to the '));
  link.write(Buffer.from('client'));
  await until(() => link.bytes.length === 19 && client.received === 13);
  t.is(link.bytes.toString(), 'hello to the server');
  t.is(client.bytes.toString(), 'to the client');
  t.is(link.transport.remoteAddress, '127.0.0.1');
  t.is(link.transport.protocol, 'quic');
  t.deepEqual(server.counter.handshakes, [false]);
});

test('quic: long messages pass both ways', async (t) => {
  const { client, link } = await linked(t);
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) & 0xff));
  client.send(bytes);
  link.write(bytes);
  await until(() => link.bytes.length === bytes.length + 6 && client.received === bytes.length);
  t.true(link.bytes.subarray(6).equals(bytes));
  t.true(client.bytes.equals(bytes));
});

test('quic: a write that fits the windows counts as taken at once; a longer one when the peer took it', async (t) => {
  const { client, link } = await linked(t);
  await until(() => link.transport.writableBytes === 0);
  link.write(Buffer.alloc(1_000, 1));
  t.is(link.transport.writableBytes, 0);
  t.true(link.transport.writeIfIdle(Buffer.alloc(1_000, 1)));
  const backlog = Buffer.alloc(8 * 1024 * 1024, 2);
  link.write(backlog);
  t.true(link.transport.writableBytes > 4 * 1024 * 1024);
  t.false(link.transport.writeIfIdle(Buffer.alloc(1)));
  link.transport.notifyDrain();
  await turns(2);
  t.is(link.drains, 0);
  await until(() => link.drains === 1 && client.received === backlog.length + 2_000);
  t.is(link.transport.writableBytes, 0);
});

test('quic: close delivers what was written before it, then ends with its code', async (t) => {
  const { client, link, server } = await linked(t);
  const words = Buffer.alloc(256 * 1024, 1);
  link.write(words);
  link.transport.close(4000, 'going away');
  link.write(Buffer.from('too late'));
  t.true(link.transport.writableBytes > 0);
  await until(() => client.closes === 1 && link.closes === 1);
  t.is(client.received, words.length);
  t.is(client.closeCode, 4000);
  t.is(server.gate.inside.size, 0);
});

test('quic: a client that closes is gone at once, and its ticket comes back once', async (t) => {
  const { client, link, server } = await linked(t);
  client.send('the last words');
  client.link.close();
  await until(() => link.closes === 1);
  t.is(link.bytes.toString(), 'hello the last words');
  await turns();
  t.is(link.closes, 1);
  t.is(client.closes, 0);
  t.is(server.gate.inside.size, 0);
});

test('quic: destroy ends the link, and the client hears of it', async (t) => {
  const { client, link } = await linked(t);
  link.transport.destroy();
  await until(() => link.closes === 1 && client.closes === 1);
  t.true(link.transport.writableBytes > 0);
});

test('quic: the client trusts only the certificate for its host', async (t) => {
  const { port } = await listening(t, 'quic');
  const byName = await QuicClient.open(t, `localhost:${port}`);
  t.true(byName.isOpen);
  const stranger = quicConnector({ ca: createSecureMaterial().cert });
  for (const client of [await QuicClient.open(t, `127.0.0.1:${port}`, stranger)]) {
    t.false(client.isOpen);
    t.is(client.closes, 1);
  }
});

test('quic: a certificate for another host is refused, by name and by address', async (t) => {
  const secure = createSecureMaterial('other.example');
  const { port } = await listening(t, 'quic', { secure });
  const connector = quicConnector({ ca: secure.cert });
  const byName = await QuicClient.open(t, `localhost:${port}`, connector);
  t.false(byName.isOpen);
  // The certificate is for 127.0.0.1 as well.
  t.true((await QuicClient.open(t, `127.0.0.1:${port}`, connector)).isOpen);
});

test('quic: a second connection resumes the session of the first', async (t) => {
  const server = await listening(t, 'quic');
  const connector = quicConnector({ ca: testSecureMaterial().cert });
  for (let i = 0; i < 2; i++) {
    const client = await QuicClient.open(t, `127.0.0.1:${server.port}`, connector);
    client.send('hello');
    const link = await server.link(i);
    link.write(Buffer.from('welcome'));
    await until(() => client.received === 7);
  }
  t.deepEqual(server.counter.handshakes, [false, true]);
});

test('quic: a renewed certificate counts from the next handshake on', async (t) => {
  const server = await listening(t, 'quic');
  const fresh = createSecureMaterial();
  server.listener.renew(fresh);
  const client = await QuicClient.open(t, `127.0.0.1:${server.port}`, quicConnector({ ca: fresh.cert }));
  t.true(client.isOpen);
});

test('quic: who is refused at the door hears it', async (t) => {
  const server = await listening(t, 'quic');
  server.gate.refusal = 'ip-full';
  const client = await QuicClient.open(t, `127.0.0.1:${server.port}`);
  await until(() => client.closes === 1);
  t.regex(client.error?.message ?? '', /closed 2/);
  t.deepEqual(server.counter.refusals, ['ip-full']);
  t.is(server.links.length, 0);
});

test('quic: nobody comes in when the memory is spent', async (t) => {
  const server = await listening(t, 'quic', { memoryBytes: 1 });
  const client = await QuicClient.open(t, `127.0.0.1:${server.port}`);
  await until(() => client.closes === 1);
  t.deepEqual(server.counter.refusals, ['memory']);
  t.is(server.gate.inside.size, 0);
});

test('quic: a client that sends nothing is cut off in time', async (t) => {
  const server = await listening(t, 'quic', { handshakeMs: 200 });
  const client = await QuicClient.open(t, `127.0.0.1:${server.port}`);
  t.true(client.isOpen);
  await until(() => client.closes === 1);
  t.deepEqual(server.counter.refusals, ['timeout']);
  t.is(server.gate.inside.size, 0);
  t.is(server.links.length, 0);
});

test('quic: silence for longer than the idle timeout ends a connection on both sides', async (t) => {
  const { client, link } = await linked(t, { idleMs: 300 });
  await until(() => link.closes === 1 && client.closes === 1);
  t.pass();
});

test('quic: an occupied port is an error of the start', async (t) => {
  const { port } = await listening(t, 'quic');
  await t.throwsAsync(listening(t, 'quic', { port }), { code: 'EADDRINUSE' });
});

test('quic: a client whose address changes keeps its connection', async (t) => {
  const server = await listening(t, 'quic');
  const nat = await Nat.open(t, server.port);
  const client = await QuicClient.open(t, nat.address);
  client.send('0');
  const link = await server.link();
  for (let move = 1; move <= 5; move++) {
    nat.move();
    client.send(`${move}`);
    await until(() => link.bytes.length === move + 1);
    link.write(Buffer.from(`${move}`));
    await until(() => client.received === move);
  }
  t.is(link.bytes.toString(), '012345');
  t.is(client.bytes.toString(), '12345');
  t.is(server.links.length, 1);
  t.is(link.closes, 0);
});

test('quic: a client that moves more often than is remembered is asked to come back', async (t) => {
  const server = await listening(t, 'quic');
  const nat = await Nat.open(t, server.port);
  const client = await QuicClient.open(t, nat.address);
  client.send('0');
  const link = await server.link();
  for (let move = 1; move <= 7; move++) {
    nat.move();
    client.send(`${move}`);
    await until(() => link.bytes.length === move + 1);
  }
  await until(() => client.closes === 1);
  t.is(client.closeCode, 4000);
  t.is(link.closes, 1);
});

test('quic: lost datagrams are sent again, in both directions', async (t) => {
  const server = await listening(t, 'quic');
  const nat = await Nat.open(t, server.port);
  let passed = 0;
  nat.passes = () => ++passed % 8 !== 0;
  const client = await QuicClient.open(t, nat.address);
  client.send('hello ');
  const link = await server.link();
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) & 0xff));
  client.send(bytes);
  link.write(bytes);
  await until(() => link.bytes.length === bytes.length + 6 && client.received === bytes.length);
  t.true(link.bytes.subarray(6).equals(bytes));
  t.true(client.bytes.equals(bytes));
});

test('quic: a server that forgot a connection, by a restart, says so at once', async (t) => {
  const secure = createSecureMaterial();
  const first = await listening(t, 'quic', { secure });
  const nat = await Nat.open(t, first.port);
  const client = await QuicClient.open(t, nat.address, quicConnector({ ca: secure.cert }));
  client.send('hello');
  const link = await first.link();
  // No goodbye reaches the client.
  nat.passes = (_, direction) => direction === 'out';
  link.transport.destroy();
  await first.listener.stop();
  await until(() => link.closes === 1);
  const again = await restarted(t, first.port, secure);
  nat.passes = () => true;
  client.send('are you there');
  await until(() => client.closes === 1);
  t.is(again.links.length, 0);
});

/** The port is free once the last connection has been answered to its end. */
async function restarted(t: ExecutionContext, port: number, secure: ReturnType<typeof createSecureMaterial>) {
  for (;;) {
    try {
      return await listening(t, 'quic', { port, secure });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await delay(20);
    }
  }
}
