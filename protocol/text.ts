/**
 * UTF-8 both ways. Names on the wire are short and almost always ASCII, where a plain loop beats the platform's
 * coders by several times; anything else goes to them, strictly: invalid UTF-8 is an error, never a replacement.
 */
import { MalformedFrameError } from './errors.js';

/** Above this many bytes the platform's decoder is faster than the loop. */
const LOOP_LIMIT = 64;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** How many bytes `text` takes in UTF-8; lone surrogates count as the replacement character they become. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else {
      bytes += 2;
      if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) i += 1;
    }
  }
  // A surrogate pair is two units and four bytes: 2 (its units) + 2.
  return bytes;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Writes `text` at `offset` of `target`, which has room for `utf8Length(text)` bytes. @returns bytes written */
export function writeUtf8(text: string, target: Uint8Array, offset: number): number {
  const length = text.length;
  if (length <= LOOP_LIMIT) {
    let i = 0;
    for (; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) break;
      target[offset + i] = unit;
    }
    if (i === length) return length;
  }
  return encoder.encodeInto(text, target.subarray(offset)).written;
}

/** @throws {MalformedFrameError} the bytes are not UTF-8 */
export function readUtf8(source: Uint8Array, start: number, end: number): string {
  if (end - start <= LOOP_LIMIT) {
    let text = '';
    let i = start;
    for (; i < end; i++) {
      const byte = source[i] as number;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (i === end) return text;
  }
  try {
    return decoder.decode(source.subarray(start, end));
  } catch {
    throw new MalformedFrameError('text is not UTF-8');
  }
}
