/** Accepts TCP links on a port that all access workers of the node share. */
import { createServer, type Server, type Socket } from 'node:net';
import { listen, stopListening } from './listen.js';
import { TcpTransport } from './tcp-transport.js';
import type { Listener, ListenerOptions } from './transport.js';
import { UNOWNED } from './unowned.js';

export class TcpListener implements Listener {
  readonly protocol = 'tcp';
  readonly #options: ListenerOptions;
  readonly #server: Server;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  start(): Promise<void> {
    return listen(this.#server, this.#options);
  }

  stop(): Promise<void> {
    return stopListening(this.#server);
  }

  #accept(socket: Socket): void {
    this.#options.onConnection(new TcpTransport(socket, UNOWNED));
  }
}
