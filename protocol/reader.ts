/**
 * Reads the fields of one frame body in order. Every read is checked against the end of the body, so a lying
 * length inside a frame ends in `MalformedFrameError` and never in another frame's bytes.
 */
import { MalformedFrameError } from './errors.js';
import type { StringMap } from './frames.js';
import { MAX_MAP_ENTRIES, MAX_MAP_KEY_BYTES, MAX_MAP_VALUE_BYTES } from './limits.js';
import { readName, readUtf8 } from './text.js';
import { view } from './view.js';

/**
 * Builds maps without a prototype: a key such as `__proto__` is data like any other. A constructor makes them
 * twice as fast as `Object.create(null)`, which starts as a hash table.
 */
const PlainMap = function PlainMap() {} as unknown as new () => Record<string, string>;
PlainMap.prototype = Object.create(null);

const EMPTY_MAP: StringMap = Object.freeze(new PlainMap());

export class FieldReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#bytes = body;
  }

  /** A QUIC variable-length integer (RFC 9000, section 16), at most 2^53 - 1. */
  varint(field: string): number {
    const bytes = this.#bytes;
    const first = bytes[this.#at];
    if (first === undefined) throw new MalformedFrameError(`${field}: missing`);
    if (first < 0x40) {
      this.#at += 1;
      return first;
    }
    const size = 1 << (first >> 6);
    if (this.#at + size > bytes.length) throw new MalformedFrameError(`${field}: number is cut off`);
    let value = first & 0x3f;
    for (let i = 1; i < size; i++) value = value * 256 + (bytes[this.#at + i] as number);
    if (value > Number.MAX_SAFE_INTEGER) throw new MalformedFrameError(`${field}: number above 2^53 - 1`);
    this.#at += size;
    return value;
  }

  /** Whether the next bytes are `expected`; takes them. */
  literal(expected: readonly number[]): boolean {
    const start = this.#at;
    this.#at = Math.min(start + expected.length, this.#bytes.length);
    return expected.every((byte, i) => this.#bytes[start + i] === byte);
  }

  /** A varint that is 0 or 1. */
  flag(field: string): boolean {
    const value = this.varint(field);
    if (value > 1) throw new MalformedFrameError(`${field}: neither 0 nor 1`);
    return value === 1;
  }

  string(field: string, maxBytes: number): string {
    const length = this.#length(field, maxBytes);
    const start = this.#at;
    this.#at += length;
    return readUtf8(this.#bytes, start, start + length);
  }

  /** A string that many frames repeat, such as a method. */
  name(field: string, maxBytes: number): string {
    const length = this.#length(field, maxBytes);
    const start = this.#at;
    this.#at += length;
    return readName(this.#bytes, start, start + length);
  }

  /** Bytes with a varint length; a view, not a copy. */
  bytes(field: string, maxBytes: number): Uint8Array {
    const length = this.#length(field, maxBytes);
    this.#at += length;
    return view(this.#bytes, this.#at - length, this.#at);
  }

  map(field: string): StringMap {
    const count = this.count(field, MAX_MAP_ENTRIES);
    if (count === 0) return EMPTY_MAP;
    const map = new PlainMap();
    for (let i = 0; i < count; i++) {
      const key = this.name(field, MAX_MAP_KEY_BYTES);
      if (key in map) throw new MalformedFrameError(`${field}: key twice`);
      map[key] = this.string(field, MAX_MAP_VALUE_BYTES);
    }
    return map;
  }

  /** How many items follow. */
  count(field: string, max: number): number {
    const count = this.varint(field);
    if (count > max) throw new MalformedFrameError(`${field}: ${count} entries, at most ${max}`);
    return count;
  }

  /** Everything up to the end of the frame; a view, not a copy. */
  rest(): Uint8Array {
    const start = this.#at;
    this.#at = this.#bytes.length;
    return view(this.#bytes, start, this.#at);
  }

  /** @throws {MalformedFrameError} bytes are left over */
  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw new MalformedFrameError(`${left} bytes after the last field`);
  }

  #length(field: string, maxBytes: number): number {
    const length = this.varint(field);
    if (length > maxBytes) throw new MalformedFrameError(`${field}: ${length} bytes, at most ${maxBytes}`);
    if (this.#at + length > this.#bytes.length) throw new MalformedFrameError(`${field}: runs past the frame`);
    return length;
  }
}
