/** Accepts TCP links on a port that all access workers of the node share. */
import { Acceptor, remoteAddressOf } from './acceptor.js';
import { TcpTransport } from './tcp-transport.js';
import type { Listener, ListenerOptions } from './transport.js';
import { UNOWNED } from './unowned.js';

export class TcpListener implements Listener {
  readonly protocol = 'tcp';
  readonly #acceptor: Acceptor;

  constructor(options: ListenerOptions) {
    this.#acceptor = new Acceptor(options, (socket) => {
      this.#acceptor.settled(socket);
      options.onConnection(new TcpTransport(socket, remoteAddressOf(socket), UNOWNED));
    });
  }

  start(): Promise<void> {
    return this.#acceptor.start();
  }

  stop(): Promise<void> {
    return this.#acceptor.stop();
  }

  renew(): void {}
}
