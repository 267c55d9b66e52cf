/**
 * A link of raw bytes: TCP, or TLS on top of it. The listeners are shared functions that find their transport on the
 * socket: closures for every connection would be hundreds of bytes each.
 */
import type { Socket } from 'node:net';
import { RAW_ENVELOPE } from './envelopes.js';
import { CLOSE_TIMEOUT_MS, NEVER_TAKEN_BYTES, type Transport, type TransportHandler } from './transport.js';
import { untakenBytes } from './untaken.js';

const transportOf = Symbol('transport');
type OwnedSocket = Socket & { [transportOf]?: TcpTransport };

const NOTHING = Buffer.alloc(0);

export class TcpTransport implements Transport {
  readonly envelope = RAW_ENVELOPE;
  readonly remoteAddress: string;
  handler: TransportHandler;
  readonly #socket: Socket;
  /** Below TLS. */
  readonly #raw: Socket | undefined;
  #handedBytes = -1;

  /**
   * @param remoteAddress the one that counts
   * @param raw the socket below, when `socket` is a TLS socket
   */
  constructor(socket: OwnedSocket, remoteAddress: string, handler: TransportHandler, raw?: Socket) {
    this.#socket = socket;
    this.#raw = raw;
    this.handler = handler;
    this.remoteAddress = remoteAddress;
    socket[transportOf] = this;
    socket.on('data', onData);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  get protocol(): 'tcp' | 'tls' {
    return this.#raw === undefined ? 'tcp' : 'tls';
  }

  get writableBytes(): number {
    return this.#socket.writable ? untakenBytes(this.#socket, this.#raw, this.#handedBytes) : NEVER_TAKEN_BYTES;
  }

  write(wire: Uint8Array): void {
    if (!this.#socket.writable) return;
    this.#handedBytes = this.#socket.writableLength === 0 ? wire.length : -1;
    this.#socket.write(wire);
  }

  writeIfIdle(wire: Uint8Array): boolean {
    const socket = this.#socket;
    if (!socket.writable || (socket.writableLength > 0 && this.writableBytes > 0)) return false;
    this.#handedBytes = socket.writableLength === 0 ? wire.length : -1;
    socket.write(wire);
    return true;
  }

  notifyDrain(): void {
    if (!this.#socket.writable) return;
    // 'drain' comes only beyond the high-water mark; an empty write ends when everything before it did.
    this.#socket.write(NOTHING, () => {
      if (!this.#socket.destroyed) this.handler.onDrain();
    });
  }

  allowMessageBytes(): void {}

  close(): void {
    this.#socket.end();
    if (this.#socket.destroyed) return;
    setTimeout(destroyLate, CLOSE_TIMEOUT_MS, this.#socket).unref();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function onData(this: OwnedSocket, chunk: Uint8Array): void {
  this[transportOf]?.handler.onBytes(chunk);
}

/** A reset is an ordinary end; 'close' follows and tells the owner. */
function onError(this: OwnedSocket): void {
  this.destroy();
}

function onClose(this: OwnedSocket): void {
  const transport = this[transportOf];
  delete this[transportOf];
  transport?.handler.onClose();
}

function destroyLate(socket: Socket): void {
  socket.destroy();
}
