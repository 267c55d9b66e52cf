import test, { type ExecutionContext } from 'ava';
import { tlsConnector } from '../../sdk/transports/tls-connector.js';
import { createSecureMaterial, testSecureMaterial } from '../support/certificate.js';
import { listening } from '../support/listening.js';
import { until } from '../support/until.js';

const ca = testSecureMaterial().cert;

function open(t: ExecutionContext, connect: ReturnType<typeof tlsConnector>, address: string) {
  const received: Uint8Array[] = [];
  const seen = { opens: 0, closes: [] as (Error | undefined)[], received };
  const link = connect(address, {
    onOpen: () => {
      seen.opens += 1;
    },
    onBytes: (bytes) => received.push(bytes),
    onClose: (error) => seen.closes.push(error),
  });
  t.teardown(() => link.close());
  return { link, seen };
}

test('tls connector: bytes pass both ways, and the next connection resumes the session', async (t) => {
  const server = await listening(t, 'tls');
  const connect = tlsConnector({ ca });
  const address = `127.0.0.1:${server.port}`;
  const first = open(t, connect, address);
  t.is(first.seen.opens, 0, 'no handler is called before it has returned');
  await until(() => first.seen.opens === 1);
  first.link.send(Buffer.from('to the '));
  first.link.send(Buffer.from('server'));
  const accepted = await server.link();
  accepted.write(Buffer.from('to the client'));
  await until(() => accepted.bytes.length === 13 && Buffer.concat(first.seen.received).length === 13);
  first.link.close();
  await until(() => accepted.closes === 1);
  t.deepEqual(first.seen.closes, []);
  const second = open(t, connect, address);
  await until(() => second.seen.opens === 1);
  await until(() => server.counter.handshakes.length === 2);
  t.deepEqual(server.counter.handshakes, [false, true]);
});

test('tls connector: a server whose certificate is not trusted, or of another name, is refused', async (t) => {
  const secure = createSecureMaterial('other.example');
  const { port } = await listening(t, 'tls', { secure });
  const cases = [
    [tlsConnector(), `127.0.0.1:${port}`, /self-signed/],
    [tlsConnector({ ca: secure.cert }), `localhost:${port}`, /altnames/],
    [tlsConnector({ ca }), 'nonsense', /not host:port/],
  ] as const;
  for (const [connect, address, reason] of cases) {
    const { seen } = open(t, connect, address);
    await until(() => seen.closes.length === 1);
    t.regex(String(seen.closes[0]), reason);
    t.is(seen.opens, 0);
  }
});

test('tls connector: a link that is closed while it opens tells nobody', async (t) => {
  const server = await listening(t, 'tls');
  const { link, seen } = open(t, tlsConnector({ ca }), `127.0.0.1:${server.port}`);
  link.close();
  await until(() => server.gate.inside.size === 0);
  t.deepEqual([seen.opens, seen.closes], [0, []]);
});
