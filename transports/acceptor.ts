/**
 * The front door of every listener: one `net.Server` per port takes the link, asks admission, reads the PROXY protocol
 * header where one is due, and hands the socket on. TLS and HTTP servers behind it never listen themselves, so that all
 * protocols have the same door.
 *
 * A link whose wire has a handshake of its own is timed here until it has a transport, by one list for all of them:
 * everybody has the same time, so whoever came first is due first.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { listen, stopListening } from './listen.js';
import { createAddressList, readProxyHeader } from './proxy-reader.js';
import type { LinkRefusal, ListenerOptions } from './transport.js';

/** What was found out about a link, kept at its socket. */
const addressOf = Symbol('address');
const ticketOf = Symbol('ticket');
type LinkSocket = Socket & { [addressOf]?: string; [ticketOf]?: number };

const MIN_SWEEP_MS = 25;
const MAX_SWEEP_MS = 1_000;

export class Acceptor {
  readonly #options: ListenerOptions;
  readonly #onLink: (socket: Socket) => void;
  readonly #isProxy: ((address: string) => boolean) | undefined;
  readonly #server: Server;
  /** Links that have no transport yet, in the order of arrival, with the time at which they are cut off. */
  readonly #waiting = new Map<Socket, number>();
  readonly #onClose: (this: LinkSocket) => void;
  #sweep: NodeJS.Timeout | undefined;

  /** @param onLink takes an admitted link; must call `settled` in time */
  constructor(options: ListenerOptions, onLink: (socket: Socket) => void) {
    this.#options = options;
    this.#onLink = onLink;
    this.#isProxy = options.proxyFrom === undefined ? undefined : createAddressList(options.proxyFrom);
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    const { gate } = options;
    const waiting = this.#waiting;
    // One function for all sockets: a closure each would be a hundred bytes a connection.
    this.#onClose = function onClose() {
      waiting.delete(this);
      if (this[ticketOf] !== undefined) gate.release(this[ticketOf]);
    };
  }

  start(): Promise<void> {
    const everyMs = Math.min(Math.max(this.#options.handshakeMs / 4, MIN_SWEEP_MS), MAX_SWEEP_MS);
    this.#sweep = setInterval(() => this.#cutLate(), everyMs).unref();
    return listen(this.#server, this.#options);
  }

  stop(): Promise<void> {
    clearInterval(this.#sweep);
    for (const socket of [...this.#waiting.keys()]) socket.destroy();
    return stopListening(this.#server);
  }

  /** The link has its transport: its owner times it from now on. */
  settled(socket: Socket): void {
    this.#waiting.delete(socket);
  }

  /** Cuts a link off that has no transport. */
  refuse(socket: Socket, reason: LinkRefusal): void {
    this.#options.counter.refused(reason);
    // A reset leaves nothing behind: no half-closed socket here, no waiting port there.
    socket.resetAndDestroy();
  }

  #accept(socket: LinkSocket): void {
    const peer = socket.remoteAddress;
    // Gone before it was looked at.
    if (peer === undefined) return void socket.destroy();
    if (this.#isProxy === undefined) return this.#admit(socket, peer);
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
    if (!this.#isProxy(peer)) return this.refuse(socket, 'proxy');
    this.#wait(socket);
    readProxyHeader(
      socket,
      (source) => {
        socket.off('error', ignore);
        this.#admit(socket, source ?? peer);
      },
      () => this.refuse(socket, 'proxy'),
    );
  }

  #admit(socket: LinkSocket, address: string): void {
    const ticket = this.#options.gate.admit(address);
    if (typeof ticket !== 'number') return this.refuse(socket, ticket);
    socket[ticketOf] = ticket;
    socket[addressOf] = address;
    if (this.#isProxy === undefined) {
      socket.on('close', this.#onClose);
      this.#wait(socket);
    }
    this.#onLink(socket);
  }

  #wait(socket: Socket): void {
    this.#waiting.set(socket, performance.now() + this.#options.handshakeMs);
  }

  #cutLate(): void {
    const nowMs = performance.now();
    for (const [socket, dueMs] of this.#waiting) {
      if (dueMs > nowMs) return;
      this.refuse(socket, 'timeout');
      this.#waiting.delete(socket);
    }
  }
}

/** The address that counts for a link: the peer's, or the one its proxy named. */
export function remoteAddressOf(socket: Socket): string {
  return (socket as LinkSocket)[addressOf] ?? socket.remoteAddress ?? '';
}

/** A reset is an ordinary end; 'close' follows. */
function ignore(): void {}
