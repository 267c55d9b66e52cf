/**
 * The codec of what is published on a group's channel. The offset is not in it, because it comes into being with the
 * publication; so each node that receives builds the PUSH frame itself, once.
 *
 *   body      version u8  kind u8  origin: 8 bytes
 *   message   (1) multicast id u32  flags u8  time to live f64 (ms, 0 none)  fields of a PUSH frame without a group
 *   dissolve  (2)
 *
 * Integers are big-endian.
 */
import { decodeFrame, encodeFrame, FrameType, HEADER_BYTES, type PushFrame } from '../protocol/index.js';
import { flagsOf } from './delivery-options.js';
import type { PushMessage } from './routing-service.js';

const VERSION = 1;
const KIND_MESSAGE = 1;
const KIND_DISSOLVE = 2;
const INCARNATION_BYTES = 8;
const HEAD_BYTES = 2 + INCARNATION_BYTES;
const MESSAGE_HEAD_BYTES = HEAD_BYTES + 13;

export interface MulticastMessage {
  readonly kind: 'message';
  /** Incarnation of the node that is to be answered. */
  readonly origin: string;
  readonly id: number;
  /** `DeliveryFlag`s. */
  readonly flags: number;
  /** 0 for none. */
  readonly ttlMs: number;
  /** Without group and offset. */
  readonly push: PushFrame;
}

export type MulticastBody = MulticastMessage | { readonly kind: 'dissolve' };

export function encodeMulticast(origin: string, id: number, message: PushMessage): Uint8Array {
  const frame = encodeFrame({ type: FrameType.push, ...message });
  const body = Buffer.allocUnsafe(MESSAGE_HEAD_BYTES + frame.length - HEADER_BYTES);
  writeHead(body, KIND_MESSAGE, origin);
  body.writeUInt32BE(id, HEAD_BYTES);
  body[HEAD_BYTES + 4] = flagsOf(message);
  body.writeDoubleBE(message.ttlMs ?? 0, HEAD_BYTES + 5);
  body.set(frame.subarray(HEADER_BYTES), MESSAGE_HEAD_BYTES);
  return body;
}

/** Every membership ends. */
export function encodeDissolve(origin: string): Uint8Array {
  const body = Buffer.alloc(HEAD_BYTES);
  writeHead(body, KIND_DISSOLVE, origin);
  return body;
}

/** @param bytes from anywhere. @returns `undefined` when they are not a body of this version */
export function decodeMulticast(bytes: Uint8Array): MulticastBody | undefined {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (body.length < HEAD_BYTES || body[0] !== VERSION) return undefined;
  if (body[1] === KIND_DISSOLVE) return { kind: 'dissolve' };
  if (body[1] !== KIND_MESSAGE || body.length < MESSAGE_HEAD_BYTES) return undefined;
  try {
    const push = decodeFrame({ type: FrameType.push, body: body.subarray(MESSAGE_HEAD_BYTES) });
    if (push?.type !== FrameType.push) return undefined;
    return {
      kind: 'message',
      origin: body.toString('hex', 2, HEAD_BYTES),
      id: body.readUInt32BE(HEAD_BYTES),
      flags: body[HEAD_BYTES + 4] as number,
      ttlMs: body.readDoubleBE(HEAD_BYTES + 5),
      push,
    };
  } catch {
    return undefined;
  }
}

function writeHead(body: Buffer, kind: number, origin: string): void {
  body[0] = VERSION;
  body[1] = kind;
  body.write(origin, 2, 'hex');
}
