/** A process that sends back what it hears, over TLS and QUIC: the connection layer alone. `node echo-listeners.js HOST DIR` */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { type ListenerOptions, QuicListener, TlsListener, type Transport } from '../../../transports/index.js';
import { createCertificateChain } from './certificate.js';

const [, , host = '127.0.0.1', dir = '.'] = process.argv;
const { certFile, keyFile } = createCertificateChain(dir, host);
const secure = {
  cert: readFileSync(certFile, 'utf8'),
  key: readFileSync(keyFile, 'utf8'),
  ticketKeys: randomBytes(48),
};

const options = (port: number): ListenerOptions & { readonly secure: typeof secure } => ({
  host,
  port,
  reusePort: false,
  gate: { admit: () => 0, release: () => {} },
  counter: { refused: () => {}, secured: () => {} },
  secure,
  handshakeMs: 60_000,
  maxHandshakeBytes: 8_192,
  isOriginAllowed: () => true,
  onConnection: (transport: Transport) => {
    transport.handler = {
      onBytes: (bytes) => transport.write(bytes),
      onDrain: () => {},
      onViolation: () => {},
      onClose: () => {},
    };
  },
});

const [tls, quic] = [await freePort(), await freePort()];
await new TlsListener(options(tls)).start();
await new QuicListener({
  ...options(quic),
  worker: 0,
  workers: 1,
  idleMs: 300_000,
  memoryBytes: 1024 * 1024 * 1024,
}).start();
process.stdout.write(`${JSON.stringify({ type: 'addresses', tls, quic })}\n`);

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, host, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
