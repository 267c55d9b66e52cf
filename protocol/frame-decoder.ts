/**
 * Bytes to raw frames, however the link cut them. The common chunk holds whole frames, which come out as views
 * on it without a copy; only a frame that is cut across chunks is gathered.
 *
 * A declared length meets its limit before anything is allocated, and the gathering buffer grows with the bytes
 * that really came, so a peer that declares 1 MiB and sends nothing holds almost nothing.
 */
import { FrameTooLargeError } from './errors.js';
import { HEADER_BYTES } from './limits.js';
import { view } from './view.js';

/** One frame, fields not yet read. `body` may be a view on the chunk it came in. */
export interface RawFrame {
  readonly type: number;
  readonly body: Uint8Array;
}

const NOTHING = new Uint8Array(0);
const FIRST_GATHER_BYTES = 256;

export class FrameDecoder {
  /** Largest body accepted; the session raises it after login. */
  maxFrameBytes: number;
  #gathered: Uint8Array = NOTHING;
  #gatheredBytes = 0;
  #failure: FrameTooLargeError | undefined;

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /** Bytes of a frame that is not complete yet. */
  get pendingBytes(): number {
    return this.#gatheredBytes;
  }

  /** Memory held for that frame: 256 bytes, or at most twice what came of it. */
  get heldBytes(): number {
    return this.#gathered.length;
  }

  /**
   * Decodes every complete frame in `chunk` and keeps the rest for the next call.
   *
   * @param chunk bytes as they left the transport: any length, split anywhere
   * @returns frames in wire order; empty while none is complete
   * @throws {FrameTooLargeError} a declared length exceeds `maxFrameBytes`; frames before it in the same chunk are
   *   lost, and every later call throws the same error
   * @see docs/protocol.md, "Framing"
   */
  decode(chunk: Uint8Array): RawFrame[] {
    if (this.#failure !== undefined) throw this.#failure;
    const frames: RawFrame[] = [];
    let at = 0;
    if (this.#gatheredBytes > 0) {
      at = this.#completeGathered(chunk, frames);
      if (this.#gatheredBytes > 0) return frames;
    }
    while (chunk.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + this.#bodyLength(chunk, at);
      if (end > chunk.length) break;
      frames.push({ type: chunk[at + 3] as number, body: view(chunk, at + HEADER_BYTES, end) });
      at = end;
    }
    if (at < chunk.length) this.#gather(chunk, at, chunk.length);
    return frames;
  }

  /** Feeds the gathered frame until it is complete or the chunk ends. @returns how much of `chunk` it took */
  #completeGathered(chunk: Uint8Array, frames: RawFrame[]): number {
    let at = 0;
    if (this.#gatheredBytes < HEADER_BYTES) {
      at = Math.min(HEADER_BYTES - this.#gatheredBytes, chunk.length);
      this.#gather(chunk, 0, at);
      if (this.#gatheredBytes < HEADER_BYTES) return at;
    }
    const frameBytes = HEADER_BYTES + this.#bodyLength(this.#gathered, 0);
    const end = Math.min(at + frameBytes - this.#gatheredBytes, chunk.length);
    this.#gather(chunk, at, end);
    if (this.#gatheredBytes === frameBytes) {
      frames.push({ type: this.#gathered[3] as number, body: this.#gathered.subarray(HEADER_BYTES, frameBytes) });
      this.#gathered = NOTHING;
      this.#gatheredBytes = 0;
    }
    return end;
  }

  #bodyLength(bytes: Uint8Array, at: number): number {
    const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    if (length <= this.maxFrameBytes) return length;
    this.#failure = new FrameTooLargeError(length, this.maxFrameBytes);
    throw this.#failure;
  }

  #gather(chunk: Uint8Array, start: number, end: number): void {
    const needed = this.#gatheredBytes + end - start;
    if (needed > this.#gathered.length) {
      const grown = new Uint8Array(Math.max(FIRST_GATHER_BYTES, this.#gathered.length * 2, needed));
      grown.set(this.#gathered.subarray(0, this.#gatheredBytes));
      this.#gathered = grown;
    }
    this.#gathered.set(chunk.subarray(start, end), this.#gatheredBytes);
    this.#gatheredBytes = needed;
  }
}
