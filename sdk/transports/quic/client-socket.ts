/**
 * The UDP socket of a link.
 *
 * Until the server was heard it is connected, because only then does the system say that nobody listens at the port, or
 * that there is no way to it. From then on it is tied to no address of this device: every packet takes the way out that
 * there is at its moment, so a change of networks needs no attention here.
 *
 * It keeps its port through that, which the system guarantees only for one that was asked for by number.
 */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6, SocketAddress } from 'node:net';

/** RFC 6335, section 6: the dynamic ports. */
const FIRST_PORT = 49_152;
const PORTS_END = 65_536;
/** So many taken ones in a row mean that there is hardly a free one. */
const MAX_TRIES = 50;

export interface ClientSocketOptions {
  /** Of the server. */
  readonly address: string;
  readonly port: number;
  readonly onReady: () => void;
  /** From the server. */
  readonly onDatagram: (datagram: Buffer) => void;
  /** The system's words. @param wasHeard whether the server had answered before */
  readonly onError: (error: Error, wasHeard: boolean) => void;
}

export class ClientSocket {
  readonly #options: ClientSocketOptions;
  readonly #socket: Socket;
  #tries = 0;
  #isReady = false;
  #isConnected = true;
  #wasHeard = false;

  constructor(options: ClientSocketOptions) {
    this.#options = options;
    const { address, port, onReady } = options;
    this.#socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', lookup: asIs as never });
    this.#socket.on('listening', () => this.#socket.connect(port, address));
    this.#socket.on('connect', () => {
      this.#isReady = true;
      onReady();
    });
    // The system spells an address of IPv6 in its own way.
    const spelled = new SocketAddress({ address, family: isIPv6(address) ? 'ipv6' : 'ipv4' }).address;
    this.#socket.on('message', (datagram, from) => {
      if (from.address === spelled && from.port === port) this.#hear(datagram);
    });
    this.#socket.on('error', (error) => this.#fail(error));
  }

  /** Tells `onReady` or `onError`. */
  open(): void {
    this.#tries += 1;
    this.#socket.bind({ port: randomInt(FIRST_PORT, PORTS_END), exclusive: true });
  }

  /** What cannot go is lost, as datagrams may be. @param bytes left alone by the caller from now on */
  send(bytes: Uint8Array): void {
    if (!this.#isReady) return;
    if (this.#isConnected) this.#socket.send(bytes);
    else this.#socket.send(bytes, this.#options.port, this.#options.address);
  }

  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    this.#isReady = false;
    this.#socket.close();
  }

  #hear(datagram: Buffer): void {
    if (!this.#wasHeard) {
      this.#wasHeard = true;
      this.#letGo();
    }
    this.#options.onDatagram(datagram);
  }

  #letGo(): void {
    try {
      this.#socket.disconnect();
      this.#isConnected = false;
    } catch {
      // A system that cannot: the link stays on the network it began in.
    }
  }

  #fail(error: Error): void {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE' && this.#tries < MAX_TRIES) return this.open();
    this.#options.onError(error, this.#wasHeard);
  }
}

/** Addresses are addresses here and need no look-up. */
function asIs(address: string, family: number, callback: (error: null, address: string, family: number) => void): void {
  callback(null, address, family);
}
