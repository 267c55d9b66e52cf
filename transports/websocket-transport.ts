/**
 * A WebSocket link. `ws` reads: handshake, unmasking, control frames, its limits. Data is written past it, as
 * pre-built messages on the socket that was upgraded, because a message of `ws` costs several times the write;
 * its own pongs and close frames go the same way through the socket, so the order holds. Nothing is written
 * after the close frame.
 */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { CloseCode } from '../protocol/index.js';
import { WEBSOCKET_ENVELOPE } from './envelopes.js';
import { NEVER_TAKEN_BYTES, type Transport, type TransportHandler } from './transport.js';
import { untakenBytes } from './untaken.js';

const transportOf = Symbol('transport');
type OwnedWebSocket = WebSocket & {
  [transportOf]?: WebSocketTransport;
  /** Private to `ws`, which offers the limit only per server; `test/transports` watches over it. */
  _receiver?: { _maxPayload: number };
};

const NOTHING = Buffer.alloc(0);

export class WebSocketTransport implements Transport {
  readonly envelope = WEBSOCKET_ENVELOPE;
  readonly remoteAddress: string;
  handler: TransportHandler;
  readonly #webSocket: OwnedWebSocket;
  readonly #socket: Socket;
  /** Below TLS. */
  readonly #raw: Socket | undefined;
  #handedBytes = -1;

  /**
   * @param socket the one that was passed to `handleUpgrade`
   * @param remoteAddress the one that counts
   * @param raw the socket below, when `socket` is a TLS socket
   */
  constructor(
    webSocket: OwnedWebSocket,
    socket: Socket,
    remoteAddress: string,
    handler: TransportHandler,
    raw?: Socket,
  ) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#raw = raw;
    this.handler = handler;
    this.remoteAddress = remoteAddress;
    webSocket[transportOf] = this;
    webSocket.on('message', onMessage);
    webSocket.on('error', onError);
    webSocket.on('close', onClose);
  }

  get protocol(): 'ws' | 'wss' {
    return this.#raw === undefined ? 'ws' : 'wss';
  }

  get writableBytes(): number {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return NEVER_TAKEN_BYTES;
    return untakenBytes(this.#socket, this.#raw, this.#handedBytes);
  }

  write(wire: Uint8Array): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    this.#handedBytes = this.#socket.writableLength === 0 ? wire.length : -1;
    this.#socket.write(wire);
  }

  writeIfIdle(wire: Uint8Array): boolean {
    const socket = this.#socket;
    if (this.#webSocket.readyState !== WebSocket.OPEN) return false;
    if (socket.writableLength > 0 && this.writableBytes > 0) return false;
    this.#handedBytes = socket.writableLength === 0 ? wire.length : -1;
    socket.write(wire);
    return true;
  }

  notifyDrain(): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    this.#socket.write(NOTHING, () => {
      if (!this.#socket.destroyed) this.handler.onDrain();
    });
  }

  allowMessageBytes(maxBytes: number): void {
    if (this.#webSocket._receiver !== undefined) this.#webSocket._receiver._maxPayload = maxBytes;
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason);
    // Whoever floods is not listened to until the link is cut.
    if (code === CloseCode.policyViolation) this.#webSocket.pause();
  }

  destroy(): void {
    this.#webSocket.terminate();
  }
}

function onMessage(this: OwnedWebSocket, data: unknown, isBinary: boolean): void {
  const handler = this[transportOf]?.handler;
  if (isBinary) handler?.onBytes(data as Buffer);
  else handler?.onViolation('text message on a binary protocol');
}

/** `ws` has answered the peer with its own close code already; 'close' follows. */
function onError(): void {}

function onClose(this: OwnedWebSocket): void {
  const transport = this[transportOf];
  delete this[transportOf];
  transport?.handler.onClose();
}
