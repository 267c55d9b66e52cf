/** One client connection of a fleet: a raw socket and the little it takes to know how far it has come. */
import type { Socket } from 'node:net';
import type { ScanState } from './scanner.js';
import { maskedMessage, Opcode } from './websocket.js';

/**
 * - `opening`    TCP connect under way
 * - `upgrading`  WebSocket handshake sent
 * - `login`      CONNECT sent
 * - `ready`      counted as connected
 * - `closed`     final
 */
export type LinkPhase = 'opening' | 'upgrading' | 'login' | 'ready' | 'closed';

export class Link implements ScanState {
  phase: LinkPhase = 'opening';
  carry: Uint8Array | undefined;
  messageLeft = 0;
  readonly index: number;
  readonly webSocket: boolean;
  readonly socket: Socket;

  constructor(index: number, webSocket: boolean, socket: Socket) {
    this.index = index;
    this.webSocket = webSocket;
    this.socket = socket;
  }

  /** Sends whole frames, as one message on a WebSocket. */
  send(frames: Uint8Array): void {
    this.socket.write(this.webSocket ? maskedMessage(Opcode.binary, frames) : frames);
  }

  pong(data: Uint8Array): void {
    if (this.webSocket) this.socket.write(maskedMessage(Opcode.pong, data));
  }
}
