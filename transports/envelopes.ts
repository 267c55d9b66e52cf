/**
 * The two kinds of wire: raw bytes (TCP, TLS, QUIC) and WebSocket, where every piece is one unmasked binary
 * message (RFC 6455, section 5.2).
 */
import type { Envelope } from './transport.js';

export const RAW_ENVELOPE: Envelope = {
  index: 0,
  wholeFrames: false,
  wrap: (bytes) => bytes,
};

/** FIN and opcode 2: a whole binary message. */
const BINARY_MESSAGE = 0x82;

export const WEBSOCKET_ENVELOPE: Envelope = {
  index: 1,
  wholeFrames: true,
  wrap: wrapBinaryMessage,
};

function wrapBinaryMessage(bytes: Uint8Array): Uint8Array {
  const length = bytes.length;
  const headerBytes = length < 126 ? 2 : length < 0x1_0000 ? 4 : 10;
  const wire = Buffer.allocUnsafe(headerBytes + length);
  wire[0] = BINARY_MESSAGE;
  if (headerBytes === 2) {
    wire[1] = length;
  } else if (headerBytes === 4) {
    wire[1] = 126;
    wire.writeUInt16BE(length, 2);
  } else {
    wire[1] = 127;
    wire.writeUInt32BE(0, 2);
    wire.writeUInt32BE(length, 6);
  }
  wire.set(bytes, headerBytes);
  return wire;
}
