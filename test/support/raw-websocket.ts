/**
 * A WebSocket peer made of a plain socket, for what a well-behaved client never does: it reads only when told,
 * answers nothing by itself and keeps its half open.
 */
import { connect, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { until } from './until.js';

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Message {
  readonly opcode: number;
  readonly payload: Buffer;
}

export class RawPeer {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  isEnded = false;
  isClosed = false;

  /** @param socket an open one to speak on, such as a TLS socket */
  constructor(port: number, socket?: Socket) {
    this.socket = socket ?? connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.socket.on('data', (chunk) => this.#chunks.push(chunk));
    this.socket.on('end', () => {
      this.isEnded = true;
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  /** The head of the answer, when it is complete. */
  get head(): string | undefined {
    const received = this.#received();
    const end = received.indexOf('\r\n\r\n');
    return end < 0 ? undefined : received.toString('latin1', 0, end + 4);
  }

  /** Everything behind the answer to the upgrade, cut into messages. */
  messages(): Message[] {
    return messagesOf(this.#received().subarray(this.head?.length));
  }

  #received(): Buffer {
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  send(opcode: number, payload: Uint8Array, isLast = true): void {
    this.socket.write(maskedFrame(opcode, payload, isLast));
  }
}

/** @param bytes as a server sends them, from the beginning of a message on */
export function messagesOf(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  let rest = bytes;
  while (rest.length >= 2) {
    const short = (rest[1] as number) & 0x7f;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (rest.length < start) break;
    const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : rest.readUInt32BE(6);
    if (rest.length < start + length) break;
    messages.push({ opcode: (rest[0] as number) & 0x0f, payload: rest.subarray(start, start + length) });
    rest = rest.subarray(start + length);
  }
  return messages;
}

/** As a client sends it, with a mask of zeros, which leaves the payload as it is. */
export function maskedFrame(opcode: number, payload: Uint8Array, isLast = true): Buffer {
  const header = Buffer.alloc(payload.length < 126 ? 2 : 4);
  header[0] = (isLast ? 0x80 : 0) | opcode;
  header[1] = 0x80 | Math.min(payload.length, 126);
  if (payload.length >= 126) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, Buffer.alloc(4), payload]);
}

export function upgradeRequest(path: string, headers: Record<string, string | undefined> = {}): string {
  const all = {
    host: 'localhost',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-protocol': 'trunkline.v1',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `${[`GET ${path} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`;
}

/** A peer whose upgrade was accepted. */
export async function rawPeer(t: ExecutionContext, port: number): Promise<RawPeer> {
  const peer = new RawPeer(port);
  t.teardown(() => {
    peer.socket.destroy();
  });
  peer.socket.write(upgradeRequest('/connect'));
  await until(() => peer.head !== undefined);
  return peer;
}
