/** `../text.ts` for browsers: the platform's coders alone, slower for short texts and a sixth of the code. */
import { MalformedFrameError } from '../errors.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function toUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function utf8Length(text: string): number {
  return toUtf8(text).length;
}

/** @throws {MalformedFrameError} the bytes are not UTF-8 */
export function readUtf8(source: Uint8Array, start: number, end: number): string {
  try {
    return decoder.decode(source.subarray(start, end));
  } catch {
    throw new MalformedFrameError('text is not UTF-8');
  }
}

export const readName = readUtf8;
