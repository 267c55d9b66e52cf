/**
 * Writes frames one behind the other into a slab that all frames of a thread share; a finished frame is a view on
 * it. A buffer of its own for each frame costs 5 µs in allocation and garbage collection, twenty times the
 * encoding. Encoding is synchronous and never nested, so module state is enough and saves an object per frame.
 */
import { FrameTooLargeError, MalformedFrameError } from './errors.js';
import { HEADER_BYTES, MAX_DECLARABLE_BYTES } from './limits.js';
import { utf8Length, writeAscii, writeUtf8 } from './text.js';

/** Small, because the last frame that somebody holds keeps its whole slab. */
const SLAB_BYTES = 16 * 1024;

/** With less room than this left in a slab the next frame opens a new one. */
const LEAST_ROOM_BYTES = 512;

/** A varint takes at most this many bytes. */
const MAX_VARINT_BYTES = 8;

/** Texts shorter than this have a length of one byte when they are ASCII. */
const SHORT_TEXT = 64;

let slab = new Uint8Array(SLAB_BYTES);
/** Where the frame under way begins. */
let start = 0;
let at = 0;

export function beginFrame(type: number): void {
  if (slab.length - start < LEAST_ROOM_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    start = 0;
  }
  slab[start + 3] = type;
  at = start + HEADER_BYTES;
}

/** @throws {FrameTooLargeError} the body does not fit a u24 length */
export function finishFrame(): Uint8Array {
  const length = at - start - HEADER_BYTES;
  if (length > MAX_DECLARABLE_BYTES) {
    dropLargeSlab();
    throw new FrameTooLargeError(length, MAX_DECLARABLE_BYTES);
  }
  slab[start] = length >>> 16;
  slab[start + 1] = (length >>> 8) & 0xff;
  slab[start + 2] = length & 0xff;
  const frame = new Uint8Array(slab.buffer, start, at - start);
  start = at;
  dropLargeSlab();
  return frame;
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
    slab[at++] = value;
  } else if (value < 0x4000) {
    slab[at++] = 0x40 | (value >>> 8);
    slab[at++] = value & 0xff;
  } else if (value < 0x4000_0000) {
    slab[at++] = 0x80 | (value >>> 24);
    writeUint24(value);
  } else {
    const high = Math.floor(value / 0x1_0000_0000);
    slab[at++] = 0xc0 | (high >>> 24);
    writeUint24(high);
    slab[at++] = (value >>> 24) & 0xff;
    writeUint24(value);
  }
}

export function writeString(text: string): void {
  const units = text.length;
  if (units < SHORT_TEXT) {
    reserve(1 + units);
    if (writeAscii(text, slab, at + 1)) {
      slab[at] = units;
      at += 1 + units;
      return;
    }
  }
  const length = utf8Length(text);
  writeVarint(length);
  reserve(length);
  at += writeUtf8(text, slab, at);
}

/** A payload: the rest of the frame, without a length. */
export function writeRest(bytes: Uint8Array): void {
  reserve(bytes.length);
  slab.set(bytes, at);
  at += bytes.length;
}

function writeUint24(value: number): void {
  slab[at++] = (value >>> 16) & 0xff;
  slab[at++] = (value >>> 8) & 0xff;
  slab[at++] = value & 0xff;
}

/** Moves the frame under way to a slab with room for `bytes` more. */
function reserve(bytes: number): void {
  if (at + bytes <= slab.length) return;
  const used = at - start;
  const moved = new Uint8Array(Math.max(SLAB_BYTES, 2 * used + bytes));
  moved.set(slab.subarray(start, at));
  slab = moved;
  start = 0;
  at = used;
}

/** A slab that one large frame made belongs to that frame alone, so that no small one keeps it. */
function dropLargeSlab(): void {
  if (slab.length > SLAB_BYTES) start = slab.length;
}
