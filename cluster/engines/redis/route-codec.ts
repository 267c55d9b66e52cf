/**
 * A route as Redis holds it, some 22 bytes:
 *
 *     incarnation 8 | fence 7 | worker | serial | number of grants | grants ... | uid, when there is one
 *
 * Fixed fields first, big-endian, because scripts compare and write the fence without knowing the rest. The others
 * are little-endian base-128 numbers; the uid takes whatever is left.
 */
import type { NewRoute, Route } from '../../../actors/index.js';

export const INCARNATION_BYTES = 8;
export const FENCE_BYTES = 7;
const FENCE_END = INCARNATION_BYTES + FENCE_BYTES;

/** Of a number up to 2^53. */
const MAX_NUMBER_BYTES = 8;
const US_PER_MS = 1_000;

export function encodeIncarnation(incarnation: string): Buffer {
  return Buffer.from(incarnation, 'hex');
}

export function encodeFence(fence: number): Buffer {
  const bytes = Buffer.allocUnsafe(FENCE_BYTES);
  writeFence(bytes, fence, 0);
  return bytes;
}

export function decodeFence(bytes: Buffer, at = 0): number {
  return bytes.readUIntBE(at, 3) * 2 ** 32 + bytes.readUInt32BE(at + 3);
}

function writeFence(bytes: Buffer, fence: number, at: number): void {
  bytes.writeUIntBE(Math.floor(fence / 2 ** 32), at, 3);
  bytes.writeUInt32BE(fence % 2 ** 32, at + 3);
}

export function encodeRoute(route: Pick<Route, 'connection' | 'fence' | 'grants' | 'uid'>): Buffer {
  const head = Buffer.allocUnsafe(FENCE_END);
  head.write(route.connection.incarnation, 'hex');
  writeFence(head, route.fence, INCARNATION_BYTES);
  return Buffer.concat([head, encodeTail(route)]);
}

/** What follows the fence. */
export function encodeTail({ connection, grants, uid = '' }: Pick<NewRoute, 'connection' | 'grants' | 'uid'>): Buffer {
  const bytes = Buffer.allocUnsafe((3 + grants.length) * MAX_NUMBER_BYTES + Buffer.byteLength(uid));
  let end = writeNumber(bytes, connection.worker, 0);
  end = writeNumber(bytes, connection.serial, end);
  end = writeNumber(bytes, grants.length, end);
  for (const id of grants) end = writeNumber(bytes, id, end);
  return bytes.subarray(0, end + bytes.write(uid, end));
}

export function decodeRoute(bytes: Buffer, start = 0, end = bytes.length): Route {
  const fence = decodeFence(bytes, start + INCARNATION_BYTES);
  const reader = { bytes, at: start + FENCE_END };
  const worker = readNumber(reader);
  const serial = readNumber(reader);
  const grants = new Array<number>(readNumber(reader));
  for (let i = 0; i < grants.length; i++) grants[i] = readNumber(reader);
  return {
    connection: { incarnation: decodeIncarnation(bytes, start), worker, serial },
    fence,
    grants,
    uid: reader.at < end ? bytes.toString('utf8', reader.at, end) : undefined,
    sinceMs: Math.floor(fence / US_PER_MS),
  };
}

/** Texts of incarnations by their first half: there are as many as nodes, and making one takes as long as all the rest. */
const incarnations = new Map<number, { readonly secondHalf: number; readonly text: string }>();
const MAX_INCARNATIONS = 1_000;

function decodeIncarnation(bytes: Buffer, at: number): string {
  const firstHalf = bytes.readUInt32BE(at);
  const secondHalf = bytes.readUInt32BE(at + 4);
  const known = incarnations.get(firstHalf);
  if (known?.secondHalf === secondHalf) return known.text;
  const text = bytes.toString('hex', at, at + INCARNATION_BYTES);
  if (incarnations.size >= MAX_INCARNATIONS) incarnations.clear();
  incarnations.set(firstHalf, { secondHalf, text });
  return text;
}

function writeNumber(bytes: Buffer, value: number, at: number): number {
  let rest = value;
  let end = at;
  while (rest >= 0x80) {
    bytes[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[end++] = rest;
  return end;
}

function readNumber(reader: { readonly bytes: Buffer; at: number }): number {
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = reader.bytes[reader.at++] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 0x80;
  }
}
