import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createAddressList } from '../../transports/proxy-reader.js';
import type { ListenerOptions } from '../../transports/transport.js';
import { listening } from '../support/listening.js';
import { turns, until } from '../support/until.js';

async function doorway(t: ExecutionContext, options: Partial<ListenerOptions> = {}) {
  const server = await listening(t, 'tcp', options);
  return { ...server, dial: () => dial(t, server.port) };
}

/** What becomes of one client. */
function dial(t: ExecutionContext, port: number): { socket: Socket; bytes: Buffer[]; ends: string[] } {
  const socket = connect({ host: '127.0.0.1', port });
  const bytes: Buffer[] = [];
  const ends: string[] = [];
  socket.on('data', (chunk) => bytes.push(chunk));
  socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
  socket.on('end', () => ends.push('end'));
  t.teardown(() => {
    socket.destroy();
  });
  return { socket, bytes, ends };
}

test('acceptor: a link holds its ticket until it has ended', async (t) => {
  const { gate, link, dial } = await doorway(t);
  const { socket } = dial();
  await link();
  t.deepEqual([...gate.inside.values()], ['127.0.0.1']);
  socket.destroy();
  await until(() => gate.inside.size === 0);
  t.pass();
});

for (const refusal of ['rate', 'node-full', 'ip-full'] as const) {
  test(`acceptor: a link refused for "${refusal}" is reset, counted, and nobody hears of it`, async (t) => {
    const { gate, counter, links, dial } = await doorway(t);
    gate.refusal = refusal;
    const { ends } = dial();
    await until(() => ends.length > 0);
    t.deepEqual(ends, ['ECONNRESET']);
    t.deepEqual(counter.refusals, [refusal]);
    t.is(links.length, 0);
    t.is(gate.inside.size, 0);
  });
}

const HEADER = 'PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n';
const LOCAL = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex');

test('acceptor: behind a proxy the address it names counts, and what follows its header arrives', async (t) => {
  const { gate, link, dial } = await doorway(t, { proxyFrom: ['127.0.0.0/8'] });
  const { socket } = dial();
  socket.write(`${HEADER}hello`);
  const first = await link();
  await until(() => first.bytes.length === 5);
  t.is(first.bytes.toString(), 'hello');
  t.is(first.transport.remoteAddress, '192.0.2.7');
  t.deepEqual(gate.asked, ['192.0.2.7']);
  first.write(Buffer.from('welcome'));
  socket.write(' again');
  await until(() => first.bytes.length === 11);
});

test('acceptor: the header may come byte by byte', async (t) => {
  const { link, links, dial } = await doorway(t, { proxyFrom: ['127.0.0.1'] });
  const { socket } = dial();
  socket.setNoDelay(true);
  for (const character of HEADER) {
    t.is(links.length, 0);
    socket.write(character);
    await turns();
  }
  t.is((await link()).transport.remoteAddress, '192.0.2.7');
});

test("acceptor: a proxy's own health check has the proxy's address", async (t) => {
  const { link, dial } = await doorway(t, { proxyFrom: ['127.0.0.1'] });
  const { socket } = dial();
  socket.write(Buffer.concat([LOCAL, Buffer.from('hi')]));
  const first = await link();
  await until(() => first.bytes.length === 2);
  t.is(first.transport.remoteAddress, '127.0.0.1');
});

test('acceptor: where a header is due, a link without one is cut off', async (t) => {
  const { counter, links, dial } = await doorway(t, { proxyFrom: ['127.0.0.1'] });
  const { socket, ends } = dial();
  socket.write('\x00\x00\x10\x01');
  await until(() => ends.length > 0);
  t.deepEqual(counter.refusals, ['proxy']);
  t.is(links.length, 0);
});

test('acceptor: a header from a peer that is not listed is not believed', async (t) => {
  const { counter, gate, links, dial } = await doorway(t, { proxyFrom: ['10.0.0.0/8', '::1'] });
  const { socket, ends } = dial();
  socket.write(HEADER);
  await until(() => ends.length > 0);
  t.deepEqual(counter.refusals, ['proxy']);
  t.deepEqual(gate.asked, []);
  t.is(links.length, 0);
});

test('acceptor: an address that is refused by its proxied name is refused', async (t) => {
  const { counter, gate, dial } = await doorway(t, { proxyFrom: ['127.0.0.1'] });
  gate.refusal = 'ip-full';
  const { socket, ends } = dial();
  socket.write(HEADER);
  await until(() => ends.length > 0);
  t.deepEqual(gate.asked, ['192.0.2.7']);
  t.deepEqual(counter.refusals, ['ip-full']);
});

test('acceptor: a header that does not come in time ends the link', async (t) => {
  const { counter, dial } = await doorway(t, { proxyFrom: ['127.0.0.1'], handshakeMs: 200 });
  const silent = dial();
  const slow = dial();
  slow.socket.write('PROXY TCP4 ');
  await until(() => silent.ends.length > 0 && slow.ends.length > 0);
  t.deepEqual(counter.refusals, ['timeout', 'timeout']);
});

test('acceptor: a link that ends inside its header is no link', async (t) => {
  const { counter, gate, links, listener, dial } = await doorway(t, { proxyFrom: ['127.0.0.1'] });
  const { socket, ends } = dial();
  socket.end('PROXY TCP4 ');
  await until(() => ends.length > 0);
  t.deepEqual([counter.refusals, gate.asked, links.length], [[], [], 0]);
  await listener.stop();
});

test('acceptor: a stop ends links that have no transport yet', async (t) => {
  const { listener, gate, dial } = await doorway(t, { proxyFrom: ['127.0.0.1'] });
  const { socket, ends } = dial();
  socket.write('PROXY TCP4 ');
  await until(() => socket.readyState === 'open');
  await turns();
  await listener.stop();
  await until(() => ends.length > 0);
  t.is(gate.inside.size, 0);
});

test('address list: single addresses, ranges, and IPv4 behind a dual-stack listener', (t) => {
  const isListed = createAddressList(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1']);
  for (const address of ['10.1.2.3', '192.0.2.1', '2001:db8:1::2', '::1', '::ffff:10.0.0.9']) {
    t.true(isListed(address), address);
  }
  for (const address of ['11.0.0.1', '192.0.2.2', '2001:db9::1', '::2', '::ffff:11.0.0.9', '']) {
    t.false(isListed(address), address);
  }
});
