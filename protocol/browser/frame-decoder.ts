/**
 * `../frame-decoder.ts` for browsers, where a frame that is cut is rare: a WebSocket's message holds whole ones. What is
 * incomplete is put before the next piece.
 */
import { FrameTooLargeError } from '../errors.js';
import type { RawFrame } from '../frame-decoder.js';
import { HEADER_BYTES } from '../limits.js';
import { view } from '../view.js';

export class FrameDecoder {
  maxFrameBytes: number;
  #rest: Uint8Array = new Uint8Array(0);
  #failure: FrameTooLargeError | undefined;

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /** @throws {FrameTooLargeError} as the other one does */
  decode(chunk: Uint8Array): RawFrame[] {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = this.#rest.length === 0 ? chunk : joined(this.#rest, chunk);
    const frames: RawFrame[] = [];
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const [high, middle, low, type] = bytes.subarray(at) as unknown as [number, number, number, number];
      const length = (high << 16) | (middle << 8) | low;
      if (length > this.maxFrameBytes) {
        this.#failure = new FrameTooLargeError(length, this.maxFrameBytes);
        throw this.#failure;
      }
      const end = at + HEADER_BYTES + length;
      if (end > bytes.length) break;
      frames.push({ type, body: view(bytes, at + HEADER_BYTES, end) });
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
