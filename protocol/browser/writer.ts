/** `../writer.ts` for browsers: a buffer for each frame. A page sends few, and a slab for all is more code. */
import { FrameTooLargeError, MalformedFrameError } from '../errors.js';
import { HEADER_BYTES, MAX_DECLARABLE_BYTES } from '../limits.js';
import { toUtf8 } from './text.js';

const FIRST_BYTES = 256;

let frame = new Uint8Array(0);
let at = 0;

export function beginFrame(type: number): void {
  frame = new Uint8Array(FIRST_BYTES);
  frame[3] = type;
  at = HEADER_BYTES;
}

/** @throws {FrameTooLargeError} the body does not fit a u24 length */
export function finishFrame(): Uint8Array {
  const length = at - HEADER_BYTES;
  if (length > MAX_DECLARABLE_BYTES) throw new FrameTooLargeError(length, MAX_DECLARABLE_BYTES);
  frame.set([length >>> 16, length >>> 8, length]);
  return frame.subarray(0, at);
}

/** @throws {MalformedFrameError} negative, fractional or above 2^53 - 1 */
export function writeVarint(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new MalformedFrameError(`${value} is no whole number >= 0`);
  const sizeBits = value < 0x40 ? 0 : value < 0x4000 ? 1 : value < 0x4000_0000 ? 2 : 3;
  const bytes: number[] = [];
  for (let size = 1 << sizeBits, rest = value; size > 0; size--, rest = Math.floor(rest / 256)) bytes.unshift(rest);
  writeRest(bytes);
  (frame[at - bytes.length] as number) |= sizeBits << 6;
}

export function writeString(text: string): void {
  const bytes = toUtf8(text);
  writeVarint(bytes.length);
  writeRest(bytes);
}

/** @param bytes numbers are taken modulo 256 */
export function writeRest(bytes: ArrayLike<number>): void {
  const end = at + bytes.length;
  if (end > frame.length) {
    const grown = new Uint8Array(2 * end);
    grown.set(frame);
    frame = grown;
  }
  frame.set(bytes, at);
  at = end;
}
