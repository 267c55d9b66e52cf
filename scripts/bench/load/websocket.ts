/**
 * The client's half of RFC 6455 as far as a benchmark needs it: one handshake, small masked messages out. Key and
 * mask are constants (a proxy that they would protect from is not in between); the mask is not zero, which
 * servers may treat as a shortcut.
 */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const MASK = [0x37, 0xfa, 0x21, 0x3d] as const;

export const Opcode = { binary: 2, close: 8, ping: 9, pong: 10 } as const;

export function upgradeRequest(port: number): string {
  return (
    `GET /connect HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Protocol: trunkline.v1\r\n\r\n`
  );
}

/** @param head the server's answer up to the empty line. @returns why not, `undefined` when the link is open */
export function refusedUpgrade(head: string): string | undefined {
  if (!head.startsWith('HTTP/1.1 101')) return head.slice(0, head.indexOf('\r\n'));
  return head.includes(ACCEPT) ? undefined : 'wrong Sec-WebSocket-Accept';
}

/** One masked message with `bytes`, which must be shorter than 64 KiB. */
export function maskedMessage(opcode: number, bytes: Uint8Array): Buffer {
  const headerBytes = bytes.length < 126 ? 2 : 4;
  const wire = Buffer.allocUnsafe(headerBytes + MASK.length + bytes.length);
  wire[0] = 0x80 | opcode;
  wire[1] = 0x80 | (headerBytes === 2 ? bytes.length : 126);
  if (headerBytes === 4) wire.writeUInt16BE(bytes.length, 2);
  wire.set(MASK, headerBytes);
  const bodyAt = headerBytes + MASK.length;
  for (let i = 0; i < bytes.length; i++) wire[bodyAt + i] = (bytes[i] as number) ^ (MASK[i & 3] as number);
  return wire;
}
