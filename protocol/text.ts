/**
 * UTF-8 both ways. Names on the wire are short and almost always ASCII, where a plain loop beats the platform's
 * coders by several times; anything else goes to them, strictly: invalid UTF-8 is an error, never a replacement.
 */
import { MalformedFrameError } from './errors.js';

/** Above this many bytes the platform's decoder is faster than the loop. */
const LOOP_LIMIT = 64;

/** Names remembered by `readName`; a power of two. */
const NAME_SLOTS = 512;
const LONGEST_REMEMBERED_NAME = 32;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const names: string[] = new Array(NAME_SLOTS).fill('');

/** How many bytes `text` takes in UTF-8; lone surrogates count as the replacement character they become. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else {
      bytes += 2;
      // A surrogate pair is two units and four bytes: 2 (its units) + 2.
      if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) i += 1;
    }
  }
  return bytes;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Writes `text` at `offset` while it is ASCII. @returns whether all of it was */
export function writeAscii(text: string, target: Uint8Array, offset: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return false;
    target[offset + i] = unit;
  }
  return true;
}

/** Writes `text` at `offset` of `target`, which has room for `utf8Length(text)` bytes. @returns bytes written */
export function writeUtf8(text: string, target: Uint8Array, offset: number): number {
  return encoder.encodeInto(text, target.subarray(offset)).written;
}

/** @throws {MalformedFrameError} the bytes are not UTF-8 */
export function readUtf8(source: Uint8Array, start: number, end: number): string {
  const text = end - start <= LOOP_LIMIT ? readAscii(source, start, end) : undefined;
  if (text !== undefined) return text;
  try {
    return decoder.decode(source.subarray(start, end));
  } catch {
    throw new MalformedFrameError('text is not UTF-8');
  }
}

/**
 * Reads a text that many frames repeat: a metadata key, a method, a group. The last name of each slot is
 * remembered, so a repeated one is compared instead of built, and a map finds it as the same string.
 *
 * @throws {MalformedFrameError} the bytes are not UTF-8
 */
export function readName(source: Uint8Array, start: number, end: number): string {
  if (end - start > LONGEST_REMEMBERED_NAME) return readUtf8(source, start, end);
  let hash = end - start;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (source[i] as number)) | 0;
  const slot = (hash ^ (hash >>> 9)) & (NAME_SLOTS - 1);
  const known = names[slot] as string;
  if (isSame(known, source, start, end)) return known;
  const name = readUtf8(source, start, end);
  names[slot] = name;
  return name;
}

/** Whether the bytes are `known` in ASCII; never true for another text, which has bytes above 0x7f. */
function isSame(known: string, source: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = start; i < end; i++) {
    const byte = source[i] as number;
    if (byte >= 0x80 || known.charCodeAt(i - start) !== byte) return false;
  }
  return true;
}

/** @returns `undefined` when the bytes are not all ASCII */
function readAscii(source: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  let i = start;
  // Eight at a time: half the cost of one at a time, which builds a string for each.
  for (; i + 8 <= end; i += 8) {
    const a = source[i] as number;
    const b = source[i + 1] as number;
    const c = source[i + 2] as number;
    const d = source[i + 3] as number;
    const e = source[i + 4] as number;
    const f = source[i + 5] as number;
    const g = source[i + 6] as number;
    const h = source[i + 7] as number;
    if ((a | b | c | d | e | f | g | h) >= 0x80) return undefined;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; i < end; i++) {
    const byte = source[i] as number;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
