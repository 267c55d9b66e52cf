/** Accepts TLS links: the raw bytes of TCP, encrypted. */
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { Acceptor, remoteAddressOf } from './acceptor.js';
import { TcpTransport } from './tcp-transport.js';
import { ALPN_PROTOCOL, handToTls, tlsOptions } from './tls-front.js';
import type { Listener, ListenerOptions, SecureMaterial } from './transport.js';
import { UNOWNED } from './unowned.js';
import { rawSocketOf } from './untaken.js';

export class TlsListener implements Listener {
  readonly protocol = 'tls';
  readonly #options: ListenerOptions;
  readonly #acceptor: Acceptor;
  readonly #server: Server;

  constructor(options: ListenerOptions & { readonly secure: SecureMaterial }) {
    this.#options = options;
    this.#server = createServer({
      ...tlsOptions(options.secure),
      ALPNProtocols: [ALPN_PROTOCOL],
    });
    this.#acceptor = new Acceptor(options, (socket) => {
      handToTls(socket, this.#server, () => this.#acceptor.refuse(socket, 'tls'));
    });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (_error, socket) => {
      options.counter.refused('tls');
      socket.destroy();
    });
  }

  start(): Promise<void> {
    return this.#acceptor.start();
  }

  stop(): Promise<void> {
    return this.#acceptor.stop();
  }

  renew(material: SecureMaterial): void {
    this.#server.setSecureContext(tlsOptions(material));
  }

  #secured(socket: TLSSocket): void {
    const raw = rawSocketOf(socket);
    this.#acceptor.settled(raw);
    this.#options.counter.secured(socket.isSessionReused());
    this.#options.onConnection(new TcpTransport(socket, remoteAddressOf(raw), UNOWNED, raw));
  }
}
