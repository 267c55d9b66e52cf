/** A UDP socket for a listener: datagrams in, packets out, and never an exception for what the network does. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** A burst of clients waits in the kernel rather than being lost; it gives what its own limit allows. */
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;
/** Unsent beyond this, packets are dropped: QUIC sends them again when the network takes more. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

export interface UdpPortOptions {
  readonly host: string;
  readonly port: number;
  readonly reusePort: boolean;
  readonly onDatagram: (datagram: Buffer, address: string, port: number) => void;
}

export class UdpPort {
  readonly #options: UdpPortOptions;
  readonly #socket: Socket;
  #isOpen = false;

  constructor(options: UdpPortOptions) {
    this.#options = options;
    this.#socket = createSocket({
      type: isIPv6(options.host) ? 'udp6' : 'udp4',
      reusePort: options.reusePort,
      recvBufferSize: SOCKET_BUFFER_BYTES,
      sendBufferSize: SOCKET_BUFFER_BYTES,
      // Addresses come from the kernel and need no look-up.
      lookup: asIs as never,
    });
    this.#socket.on('message', (datagram: Buffer, { address, port }: RemoteInfo) => {
      options.onDatagram(datagram, address, port);
    });
  }

  /** @throws the system's error, such as EADDRINUSE */
  open(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => {
        this.#socket.close();
        reject(error);
      };
      this.#socket.once('error', onError);
      this.#socket.bind({ address: host, port, exclusive: true }, () => {
        this.#socket.off('error', onError);
        // A peer that cannot be reached: timers find out.
        this.#socket.on('error', () => {});
        this.#isOpen = true;
        resolve();
      });
    });
  }

  /** @param bytes left alone by the caller from now on */
  send(bytes: Uint8Array, address: string, port: number): void {
    if (!this.#isOpen || this.#socket.getSendQueueSize() > MAX_UNSENT_BYTES) return;
    this.#socket.send(bytes, port, address);
  }

  close(): void {
    if (this.#isOpen) this.#socket.close();
    this.#isOpen = false;
  }
}

function asIs(address: string, family: number, callback: (error: null, address: string, family: number) => void): void {
  callback(null, address, family);
}
