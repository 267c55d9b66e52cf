/**
 * A TCP link. The listeners are shared functions that find their transport on the socket: closures for every
 * connection would be hundreds of bytes each.
 */
import type { Socket } from 'node:net';
import { RAW_ENVELOPE } from './envelopes.js';
import { CLOSE_TIMEOUT_MS, NEVER_TAKEN_BYTES, type Transport, type TransportHandler } from './transport.js';

const transportOf = Symbol('transport');
type OwnedSocket = Socket & { [transportOf]?: TcpTransport };

const NOTHING = Buffer.alloc(0);

export class TcpTransport implements Transport {
  readonly protocol = 'tcp';
  readonly envelope = RAW_ENVELOPE;
  readonly remoteAddress: string;
  handler: TransportHandler;
  readonly #socket: Socket;

  constructor(socket: OwnedSocket, handler: TransportHandler) {
    this.#socket = socket;
    this.handler = handler;
    this.remoteAddress = socket.remoteAddress ?? '';
    socket[transportOf] = this;
    socket.setNoDelay(true);
    socket.on('data', onData);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  get writableBytes(): number {
    return this.#socket.writable ? this.#socket.writableLength : NEVER_TAKEN_BYTES;
  }

  write(wire: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(wire);
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
