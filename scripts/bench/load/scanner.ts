/**
 * Reads what servers send, as cheaply as JavaScript can: all sockets of a process read into one arena, frames are
 * told apart by their length field alone, and of a PUSH only the stamp at its end is looked at. What a read leaves
 * incomplete is kept by its link and laid down in front of that link's next read, so parsing is always contiguous:
 *
 *     arena  [ ......... | carry ][ bytes of this read ........ ]
 *              HEADROOM ─────────^
 */
import { FrameType, HEADER_BYTES } from '../../../protocol/index.js';
import { BenchError } from '../measure/bench-error.js';
import { nowUs } from './clock.js';
import { STAMP_BYTES } from './stamp.js';
import type { Traffic } from './traffic.js';

const HEADROOM = 128 * 1024;
const READ_BYTES = 256 * 1024;

const BINARY_MESSAGE = 0x82;
const CONTROL_BIT = 0x08;

/** What the scanner remembers of one link. */
export interface ScanState {
  readonly webSocket: boolean;
  /** Bytes of an incomplete frame. */
  carry: Uint8Array | undefined;
  /** Bytes of the current WebSocket message that are still to come. */
  messageLeft: number;
}

export interface ScanEvents<T extends ScanState> {
  /** Any frame but PUSH; `frame` is a view, valid during the call, header included. */
  onFrame(link: T, type: number, frame: Buffer): void;
  /** A WebSocket ping, pong or close. */
  onControl(link: T, opcode: number, data: Buffer): void;
}

export class Scanner<T extends ScanState> {
  readonly #arena = Buffer.alloc(HEADROOM + READ_BYTES);
  readonly #view = new DataView(this.#arena.buffer, this.#arena.byteOffset, this.#arena.length);
  readonly #traffic: Traffic;
  readonly #events: ScanEvents<T>;
  #readAtUs = 0;

  /** Where sockets read to (`onread.buffer`). */
  readonly readBuffer = this.#arena.subarray(HEADROOM);

  constructor(traffic: Traffic, events: ScanEvents<T>) {
    this.#traffic = traffic;
    this.#events = events;
  }

  /**
   * @param bytesRead how many bytes of `readBuffer` are this link's
   * @throws {BenchError} a server must not send this
   */
  scan(link: T, bytesRead: number): void {
    const traffic = this.#traffic;
    traffic.reads++;
    traffic.bytes += bytesRead;
    if (traffic.measuring) this.#readAtUs = nowUs();
    const end = HEADROOM + bytesRead;
    const start = this.#layDownCarry(link);
    const at = link.webSocket ? this.#scanMessages(link, start, end) : this.#scanFrames(link, start, end);
    if (at < end) link.carry = Uint8Array.prototype.slice.call(this.#arena, at, end);
  }

  #layDownCarry(link: T): number {
    const carry = link.carry;
    if (carry === undefined) return HEADROOM;
    if (carry.length > HEADROOM) throw new BenchError(`a frame of more than ${HEADROOM} bytes`);
    link.carry = undefined;
    this.#arena.set(carry, HEADROOM - carry.length);
    return HEADROOM - carry.length;
  }

  /** @returns where the incomplete rest begins */
  #scanFrames(link: T, start: number, end: number): number {
    const { measuring, latency } = this.#traffic;
    const bytes = this.#arena;
    let pushes = 0;
    let at = start;
    while (end - at >= HEADER_BYTES) {
      const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
      const next = at + HEADER_BYTES + length;
      if (next > end) break;
      const type = bytes[at + 3] as number;
      if (type === FrameType.push) {
        pushes++;
        if (measuring) latency.record(this.#readAtUs - this.#view.getFloat64(next - STAMP_BYTES));
      } else {
        this.#events.onFrame(link, type, bytes.subarray(at, next));
      }
      at = next;
    }
    this.#traffic.pushes += pushes;
    return at;
  }

  #scanMessages(link: T, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (link.messageLeft === 0) {
        const next = this.#openMessage(link, at, end);
        if (next === at) return at;
        at = next;
        continue;
      }
      const limit = Math.min(end, at + link.messageLeft);
      const next = this.#scanFrames(link, at, limit);
      if (next < limit && limit - at === link.messageLeft) throw new BenchError('a message ends inside a frame');
      link.messageLeft -= next - at;
      at = next;
      if (link.messageLeft > 0) return at;
    }
    return at;
  }

  /** Reads a message's header, or a whole control frame. @returns `at` when it is not complete */
  #openMessage(link: T, at: number, end: number): number {
    const bytes = this.#arena;
    if (end - at < 2) return at;
    const first = bytes[at] as number;
    let length = bytes[at + 1] as number;
    const headerBytes = length < 126 ? 2 : length === 126 ? 4 : 10;
    if (end - at < headerBytes) return at;
    if (headerBytes === 4) length = this.#view.getUint16(at + 2);
    else if (headerBytes === 10) length = Number(this.#view.getBigUint64(at + 2));
    const bodyAt = at + headerBytes;
    if ((first & CONTROL_BIT) !== 0) {
      if (end - bodyAt < length) return at;
      this.#events.onControl(link, first & 0x0f, bytes.subarray(bodyAt, bodyAt + length));
      return bodyAt + length;
    }
    if (first !== BINARY_MESSAGE)
      throw new BenchError(`WebSocket frame 0x${first.toString(16)} is no whole binary message`);
    link.messageLeft = length;
    return bodyAt;
  }
}
