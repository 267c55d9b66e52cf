/**
 * Writes one frame into a scratch buffer that all frames of a thread share, and copies the finished frame out
 * once. Encoding is synchronous and never nested, so one scratch is enough; module functions instead of an
 * object save an allocation per frame.
 */
import { FrameTooLargeError, MalformedFrameError } from './errors.js';
import type { StringMap } from './frames.js';
import { HEADER_BYTES, MAX_DECLARABLE_BYTES } from './limits.js';
import { utf8Length, writeUtf8 } from './text.js';

/** A scratch that a rare large frame has grown beyond this is let go again. */
const KEPT_SCRATCH_BYTES = 64 * 1024;

/** A varint takes at most this many bytes. */
const MAX_VARINT_BYTES = 8;

let scratch = new Uint8Array(4096);
let at = 0;

export function beginFrame(type: number): void {
  if (scratch.length > KEPT_SCRATCH_BYTES) scratch = new Uint8Array(4096);
  scratch[3] = type;
  at = HEADER_BYTES;
}

/** @throws {FrameTooLargeError} the body does not fit a u24 length */
export function finishFrame(): Uint8Array {
  const length = at - HEADER_BYTES;
  if (length > MAX_DECLARABLE_BYTES) throw new FrameTooLargeError(length, MAX_DECLARABLE_BYTES);
  scratch[0] = length >>> 16;
  scratch[1] = (length >>> 8) & 0xff;
  scratch[2] = length & 0xff;
  return scratch.slice(0, at);
}

/**
 * A QUIC variable-length integer (RFC 9000, section 16), in the fewest bytes.
 *
 * @throws {MalformedFrameError} negative, fractional or above 2^53 - 1
 */
export function writeVarint(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new MalformedFrameError(`${value} is no whole number >= 0`);
  reserve(MAX_VARINT_BYTES);
  if (value < 0x40) {
    scratch[at++] = value;
  } else if (value < 0x4000) {
    scratch[at++] = 0x40 | (value >>> 8);
    scratch[at++] = value & 0xff;
  } else if (value < 0x4000_0000) {
    scratch[at++] = 0x80 | (value >>> 24);
    writeUint24(value);
  } else {
    const high = Math.floor(value / 0x1_0000_0000);
    scratch[at++] = 0xc0 | (high >>> 24);
    writeUint24(high);
    scratch[at++] = (value >>> 24) & 0xff;
    writeUint24(value);
  }
}

export function writeFlag(value: boolean): void {
  writeVarint(value ? 1 : 0);
}

export function writeString(text: string): void {
  const length = utf8Length(text);
  writeVarint(length);
  reserve(length);
  at += writeUtf8(text, scratch, at);
}

export function writeBytes(bytes: Uint8Array): void {
  writeVarint(bytes.length);
  writeRest(bytes);
}

export function writeMap(map: StringMap): void {
  const keys = Object.keys(map);
  writeVarint(keys.length);
  for (const key of keys) {
    writeString(key);
    writeString(map[key] as string);
  }
}

/** A payload: the rest of the frame, without a length. */
export function writeRest(bytes: Uint8Array): void {
  reserve(bytes.length);
  scratch.set(bytes, at);
  at += bytes.length;
}

function writeUint24(value: number): void {
  scratch[at++] = (value >>> 16) & 0xff;
  scratch[at++] = (value >>> 8) & 0xff;
  scratch[at++] = value & 0xff;
}

function reserve(bytes: number): void {
  if (at + bytes <= scratch.length) return;
  const grown = new Uint8Array(Math.max(scratch.length * 2, at + bytes));
  grown.set(scratch.subarray(0, at));
  scratch = grown;
}
