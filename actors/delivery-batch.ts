/**
 * The codec between router and access workers: many pushes in one buffer on the way out, many outcomes in one
 * buffer on the way back. One message a turn instead of one a push is what makes crossing a thread affordable.
 *
 *   push      kind u8 (1)  push id u32  business u16  target count u16  frame length u32  targets ...  frame
 *     target    index u16  serial f64
 *   multicast kind u8 (2)  push id u32  business u16  group length u16  frame length u32  offset f64  group  frame
 *   outcome   push id u32  target index u16  code u8  members u32
 *
 * Integers are big-endian. A push id of 0 wants no outcome.
 */

const KIND_PUSH = 1;
const KIND_MULTICAST = 2;
const ITEM_HEADER_BYTES = 13;
const OFFSET_BYTES = 8;
const TARGET_BYTES = 10;
const OUTCOME_BYTES = 11;

/** What became of one target, or of a multicast on one worker. */
export const OutcomeCode = {
  delivered: 0,
  offline: 1,
  slow: 2,
  closed: 3,
  unknown: 4,
  /** A multicast that found its group's queue full. */
  overloaded: 5,
} as const;
export type OutcomeCode = (typeof OutcomeCode)[keyof typeof OutcomeCode];

/** Stands for the target index in a multicast's outcome, whose target is the worker that reports it. */
export const MULTICAST_INDEX = 0xffff;

export interface PushItem {
  readonly kind: 'push';
  readonly pushId: number;
  readonly businessId: number;
  /** Targets: where each stands in the push, and its serial number on the receiving worker. */
  readonly indexes: readonly number[];
  readonly serials: readonly number[];
  readonly frame: Uint8Array;
}

export interface MulticastItem {
  readonly kind: 'multicast';
  readonly pushId: number;
  readonly businessId: number;
  readonly group: string;
  readonly offset: number;
  readonly frame: Uint8Array;
}

export interface Outcome {
  readonly pushId: number;
  readonly index: number;
  readonly code: OutcomeCode;
  /** Members reached; multicasts only. */
  readonly members: number;
}

export function encodeDeliveries(items: readonly (PushItem | MulticastItem)[]): Uint8Array {
  const groups = items.map((item) => (item.kind === 'push' ? undefined : Buffer.from(item.group)));
  // Not from the pool: a clone to another thread takes the whole of what is behind a buffer.
  const batch = Buffer.allocUnsafeSlow(items.reduce((bytes, item, i) => bytes + itemBytes(item, groups[i]), 0));
  let at = 0;
  items.forEach((item, i) => {
    const group = groups[i];
    batch[at] = item.kind === 'push' ? KIND_PUSH : KIND_MULTICAST;
    batch.writeUInt32BE(item.pushId, at + 1);
    batch.writeUInt16BE(item.businessId, at + 5);
    batch.writeUInt16BE(item.kind === 'push' ? item.serials.length : (group as Buffer).length, at + 7);
    batch.writeUInt32BE(item.frame.length, at + 9);
    at += ITEM_HEADER_BYTES;
    if (item.kind === 'push') {
      item.serials.forEach((serial, t) => {
        batch.writeUInt16BE(item.indexes[t] as number, at);
        at = batch.writeDoubleBE(serial, at + 2);
      });
    } else {
      at = batch.writeDoubleBE(item.offset, at);
      at += (group as Buffer).copy(batch, at);
    }
    batch.set(item.frame, at);
    at += item.frame.length;
  });
  return batch;
}

function itemBytes(item: PushItem | MulticastItem, group: Buffer | undefined): number {
  const own = item.kind === 'push' ? item.serials.length * TARGET_BYTES : OFFSET_BYTES + (group as Buffer).length;
  return ITEM_HEADER_BYTES + own + item.frame.length;
}

/** @param bytes from `encodeDeliveries`, trusted; frames are views on it */
export function decodeDeliveries(bytes: Uint8Array): (PushItem | MulticastItem)[] {
  const batch = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const items: (PushItem | MulticastItem)[] = [];
  let at = 0;
  while (at < batch.length) {
    const kind = batch[at];
    const pushId = batch.readUInt32BE(at + 1);
    const businessId = batch.readUInt16BE(at + 5);
    const count = batch.readUInt16BE(at + 7);
    const frameBytes = batch.readUInt32BE(at + 9);
    at += ITEM_HEADER_BYTES;
    if (kind === KIND_PUSH) {
      const indexes = new Array<number>(count);
      const serials = new Array<number>(count);
      for (let t = 0; t < count; t++, at += TARGET_BYTES) {
        indexes[t] = batch.readUInt16BE(at);
        serials[t] = batch.readDoubleBE(at + 2);
      }
      items.push({ kind: 'push', pushId, businessId, indexes, serials, frame: batch.subarray(at, at + frameBytes) });
    } else {
      const offset = batch.readDoubleBE(at);
      const group = batch.toString('utf8', at + OFFSET_BYTES, at + OFFSET_BYTES + count);
      at += OFFSET_BYTES + count;
      const frame = batch.subarray(at, at + frameBytes);
      items.push({ kind: 'multicast', pushId, businessId, group, offset, frame });
    }
    at += frameBytes;
  }
  return items;
}

/** Gathers outcomes until `take`. */
export class OutcomeWriter {
  #bytes = Buffer.allocUnsafe(OUTCOME_BYTES * 64);
  #at = 0;

  get isEmpty(): boolean {
    return this.#at === 0;
  }

  add(pushId: number, index: number, code: OutcomeCode, members: number): void {
    if (this.#at === this.#bytes.length) {
      const grown = Buffer.allocUnsafe(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.writeUInt32BE(pushId, this.#at);
    this.#bytes.writeUInt16BE(index, this.#at + 4);
    this.#bytes[this.#at + 6] = code;
    this.#bytes.writeUInt32BE(members, this.#at + 7);
    this.#at += OUTCOME_BYTES;
  }

  /** @returns a copy of what was gathered, and starts anew */
  take(): Uint8Array {
    const bytes = Uint8Array.prototype.slice.call(this.#bytes, 0, this.#at);
    this.#at = 0;
    return bytes;
  }
}

/** @param bytes from `OutcomeWriter.take`, trusted */
export function* decodeOutcomes(bytes: Uint8Array): Generator<Outcome> {
  const batch = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < batch.length; at += OUTCOME_BYTES) {
    yield {
      pushId: batch.readUInt32BE(at),
      index: batch.readUInt16BE(at + 4),
      code: batch[at + 6] as OutcomeCode,
      members: batch.readUInt32BE(at + 7),
    };
  }
}
