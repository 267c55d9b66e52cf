import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { ListenerOptions } from '../../transports/transport.js';
import { createSecureMaterial, testSecureMaterial } from '../support/certificate.js';
import { freePort, listening } from '../support/listening.js';
import { RawPeer, upgradeRequest } from '../support/raw-websocket.js';
import { turns, until } from '../support/until.js';

const HEADER = 'PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n';
/** More than the kernel takes for a peer that does not read. */
const BACKLOG = Buffer.alloc(16 * 1024 * 1024, 1);

async function secure(t: ExecutionContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const client = connectTls({ host: '127.0.0.1', port, ca: testSecureMaterial().cert, ...options });
  t.teardown(() => {
    client.destroy();
  });
  await once(client, 'secureConnect');
  client.on('error', () => {});
  return client;
}

function gone(socket: Socket): Promise<unknown> {
  socket.on('error', () => {});
  // Nobody hears of the end before all is read.
  socket.resume();
  return new Promise((resolve) => socket.on('close', resolve));
}

/** OpenSSL's code of why a handshake failed. */
function failure(handshake: Promise<TLSSocket>): Promise<string> {
  return handshake.then(
    () => 'none',
    (error: NodeJS.ErrnoException) => error.code ?? String(error),
  );
}

async function linked(t: ExecutionContext, options: Partial<ListenerOptions> = {}) {
  const server = await listening(t, 'tls', options);
  const client = await secure(t, server.port);
  return { client, server, link: await server.link() };
}

function received(client: Socket): () => Buffer {
  const chunks: Buffer[] = [];
  client.on('data', (chunk) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}

test('tls: bytes pass both ways, in order', async (t) => {
  const { client, link, server } = await linked(t);
  const read = received(client);
  client.write('to the ');
  client.write('server');
  link.write(Buffer.from('to the '));
  link.write(Buffer.from('client'));
  await until(() => link.bytes.length === 13 && read().length === 13);
  t.is(link.bytes.toString(), 'to the server');
  t.is(read().toString(), 'to the client');
  t.is(link.transport.remoteAddress, '127.0.0.1');
  t.is(link.transport.protocol, 'tls');
  t.deepEqual(server.counter.handshakes, [false]);
});

test('tls: long messages pass both ways, although the buffer for incoming bytes is small', async (t) => {
  const { client, link } = await linked(t);
  const read = received(client);
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i & 0xff));
  client.write(bytes);
  link.write(bytes);
  await until(() => link.bytes.length === bytes.length && read().length === bytes.length);
  t.deepEqual(link.bytes, bytes);
  t.deepEqual(read(), bytes);
});

test('tls: a write that the kernel took counts as taken at once, as it does without TLS', async (t) => {
  const { client, link } = await linked(t);
  const read = received(client);
  await until(() => link.transport.writableBytes === 0);
  link.write(Buffer.alloc(1_000, 1));
  t.is(link.transport.writableBytes, 0);
  // A second one in the same turn waits behind the first, and is not called taken before it is.
  link.write(Buffer.alloc(500, 2));
  t.true(link.transport.writableBytes > 0);
  link.transport.notifyDrain();
  await until(() => link.drains === 1);
  t.is(link.transport.writableBytes, 0);
  await until(() => read().length === 1_500);
});

test('tls: what a peer does not read stays counted, and onDrain tells when it was taken', async (t) => {
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
  await until(() => link.drains === 1 && bytes === BACKLOG.length);
  t.is(link.transport.writableBytes, 0);
});

test('tls: close delivers what was written before it, then ends', async (t) => {
  const { client, link, server } = await linked(t);
  const read = received(client);
  const words = Buffer.alloc(256 * 1024, 1);
  link.write(words);
  link.transport.close(4000, 'going away');
  link.write(Buffer.from('too late'));
  t.true(link.transport.writableBytes > 0);
  await until(() => client.closed && link.closes === 1);
  t.is(read().length, words.length);
  await until(() => server.gate.inside.size === 0);
});

test('tls: a peer that does not read is cut off after close', async (t) => {
  const { client, link } = await linked(t);
  client.pause();
  link.write(BACKLOG);
  link.transport.close(4003, 'slow');
  await until(() => link.closes === 1);
  t.pass();
});

test('tls: a peer that is gone or resets ends the link once, and its ticket comes back once', async (t) => {
  const { client, link, server } = await linked(t);
  client.destroy();
  await until(() => link.closes > 0 && server.gate.inside.size === 0);
  await turns();
  t.is(link.closes, 1);
  t.true(link.transport.writableBytes > 0);
});

for (const protocol of ['tls', 'wss'] as const) {
  test(`${protocol}: versions before 1.2 are not spoken, 1.2 and 1.3 are`, async (t) => {
    const { port, counter } = await listening(t, protocol);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = await secure(t, port, { minVersion: version, maxVersion: version });
      t.is(client.getProtocol(), version);
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    t.regex(await failure(secure(t, port, old)), /ALERT_PROTOCOL_VERSION/);
    await until(() => counter.refusals.length === 1);
    t.deepEqual(counter.refusals, ['tls']);
  });

  test(`${protocol}: ciphers without forward secrecy or authentication are not spoken`, async (t) => {
    const { port } = await listening(t, protocol);
    for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256', 'AECDH-AES128-SHA']) {
      const options = { ciphers: `${ciphers}:@SECLEVEL=0`, maxVersion: 'TLSv1.2' } as const;
      t.regex(await failure(secure(t, port, options)), /HANDSHAKE_FAILURE/, ciphers);
    }
  });

  test(`${protocol}: a session resumes on another thread's listener, which has the same ticket keys`, async (t) => {
    const port = await freePort();
    const listeners = [
      await listening(t, protocol, { port, reusePort: true }),
      await listening(t, protocol, { port, reusePort: true }),
    ];
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options = { minVersion: version, maxVersion: version };
      const first = connectTls({ host: '127.0.0.1', port, ca: testSecureMaterial().cert, ...options });
      first.on('error', () => {});
      t.teardown(() => {
        first.destroy();
      });
      const [session] = (await once(first, 'session')) as [Buffer];
      const handshakes = () => listeners.map(({ counter }) => counter.handshakes.length);
      const before = handshakes();
      // The kernel chooses by the port of the client.
      while (handshakes().some((count, i) => count === before[i])) {
        const [a = 0, b = 0] = handshakes();
        const client = await secure(t, port, { ...options, session });
        t.true(client.isSessionReused());
        await until(() => handshakes().reduce((sum, count) => sum + count, 0) > a + b);
      }
      t.true(listeners.every(({ counter }) => counter.handshakes.at(-1)));
    }
  });

  test(`${protocol}: a renewed certificate is shown to whoever comes next, and who is there stays`, async (t) => {
    const { port, listener, links } = await listening(t, protocol);
    const before = await secure(t, port);
    const material = createSecureMaterial('renewed.example');
    listener.renew(material);
    const after = await secure(t, port, { ca: material.cert, servername: 'renewed.example' });
    t.is(after.getPeerCertificate().subject.CN, 'renewed.example');
    t.is(before.getPeerCertificate().subject.CN, 'localhost');
    t.false(before.destroyed);
    t.throws(() => listener.renew({ ...material, key: testSecureMaterial().key }));
    const still = await secure(t, port, { ca: material.cert, servername: 'renewed.example' });
    t.is(still.getPeerCertificate().subject.CN, 'renewed.example');
    t.true(links.length <= 3);
  });

  test(`${protocol}: renewed ticket keys end old sessions with a full handshake`, async (t) => {
    const { port, listener } = await listening(t, protocol);
    const first = await secure(t, port);
    const session = first.getSession() ?? ((await once(first, 'session'))[0] as Buffer);
    listener.renew({ ...testSecureMaterial(), ticketKeys: Buffer.alloc(48, 9) });
    const again = await secure(t, port, { session });
    t.false(again.isSessionReused());
  });

  test(`${protocol}: what is no TLS is cut off at its first byte`, async (t) => {
    const { port, counter, links, gate } = await listening(t, protocol);
    const client = connect({ host: '127.0.0.1', port });
    const [error] = await Promise.all([once(client, 'error'), client.write('GET / HTTP/1.1\r\n\r\n')]);
    t.is((error[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
    t.deepEqual(counter.refusals, ['tls']);
    t.is(links.length, 0);
    await until(() => gate.inside.size === 0);
  });

  test(`${protocol}: a handshake that is malformed or breaks off is no link`, async (t) => {
    const { port, counter, links, gate } = await listening(t, protocol);
    const broken = connect({ host: '127.0.0.1', port });
    broken.write(Buffer.from('160301000501000001ff', 'hex'));
    await gone(broken);
    await until(() => counter.refusals.includes('tls'));
    const half = connect({ host: '127.0.0.1', port });
    half.write(Buffer.from('1603010200010001fc0303', 'hex'));
    await until(() => gate.inside.size === 1);
    half.destroy();
    await until(() => gate.inside.size === 0);
    t.is(links.length, 0);
  });

  test(`${protocol}: a handshake that does not end in time ends the link`, async (t) => {
    const { port, counter, links } = await listening(t, protocol, { handshakeMs: 300 });
    const clients = ['', '1603010200010001fc0303'].map((hex) => {
      const client = connect({ host: '127.0.0.1', port });
      client.write(Buffer.from(hex, 'hex'));
      return gone(client);
    });
    await Promise.all(clients);
    t.deepEqual(counter.refusals, ['timeout', 'timeout']);
    t.is(links.length, 0);
  });

  test(`${protocol}: renegotiation is refused`, async (t) => {
    const { port } = await listening(t, protocol);
    const client = await secure(t, port, { maxVersion: 'TLSv1.2' });
    client.renegotiate({}, () => {});
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    t.regex(error.code ?? '', /NO_RENEGOTIATION/);
  });

  test(`${protocol}: behind a proxy the address it names counts`, async (t) => {
    const { port, gate, link } = await listening(t, protocol, { proxyFrom: ['127.0.0.1'] });
    const raw = connect({ host: '127.0.0.1', port });
    raw.write(HEADER);
    const client = connectTls({ socket: raw, ca: testSecureMaterial().cert, servername: 'localhost' });
    t.teardown(() => {
      client.destroy();
    });
    await once(client, 'secureConnect');
    if (protocol === 'wss') client.write(upgradeRequest('/connect'));
    t.is((await link()).transport.remoteAddress, '192.0.2.7');
    t.deepEqual(gate.asked, ['192.0.2.7']);
  });
}

test('tls: the protocol is agreed on where the client asks, and another one is refused', async (t) => {
  const { port } = await listening(t, 'tls');
  t.is((await secure(t, port, { ALPNProtocols: ['trunkline/1'] })).alpnProtocol, 'trunkline/1');
  t.is((await secure(t, port)).alpnProtocol, false);
  t.regex(await failure(secure(t, port, { ALPNProtocols: ['h2'] })), /ALERT_NO_APPLICATION_PROTOCOL/);
});

test('tls: a link that said nothing yet has cost no TLS', async (t) => {
  const { port, gate, counter } = await listening(t, 'tls');
  const clients = Array.from({ length: 20 }, () => connect({ host: '127.0.0.1', port }));
  await until(() => gate.inside.size === 20);
  for (const client of clients) client.destroy();
  await until(() => gate.inside.size === 0);
  t.deepEqual([counter.refusals, counter.handshakes], [[], []]);
});

test('wss: the upgrade works through TLS, and what follows it arrives', async (t) => {
  const { port, link, counter } = await listening(t, 'wss');
  const client = await secure(t, port, { ALPNProtocols: ['http/1.1'] });
  const peer = new RawPeer(port, client);
  peer.socket.write(upgradeRequest('/connect'));
  await until(() => peer.head !== undefined);
  t.regex(peer.head ?? '', /^HTTP\/1.1 101 /);
  const first = await link();
  t.is(first.transport.protocol, 'wss');
  peer.send(2, Buffer.from('hi'));
  first.write(Buffer.from('welcome'));
  t.is(first.transport.writableBytes, 0);
  await until(() => first.bytes.length === 2 && peer.messages().length === 1);
  t.is(peer.messages()[0]?.payload.toString(), 'welcome');
  t.deepEqual(counter.handshakes, [false]);
  first.transport.close(4000, 'bye');
  t.true(first.transport.writableBytes > 0);
  await until(() => peer.messages().some(({ opcode }) => opcode === 8));
});

test('wss: a request that is no upgrade is answered 426', async (t) => {
  const { port } = await listening(t, 'wss');
  const client = await secure(t, port);
  client.write('GET /connect HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const [answer] = (await once(client, 'data')) as [Buffer];
  t.regex(answer.toString('latin1'), /^HTTP\/1.1 426 Upgrade Required\r\n/);
});
