/**
 * The codec from the router to the access workers: many pushes in one buffer. One message a turn instead of one a
 * push is what makes crossing a thread affordable. What another node sends takes the same form inside a peer batch
 * (`peer-batch.ts`), so nothing is read past the end.
 *
 *   item      kind u8  flags u8  id u32  business u16  count u16  frame length u32  [expires at f64]
 *   push      (1) count targets  frame            target    index u16  serial f64
 *   multicast (2) offset f64  group: count bytes  frame
 *   call      (3) serial f64  frame
 *   cancel    (4) serial f64
 *
 * Integers are big-endian. A push id of 0 wants no outcome. Flag 0x80 says that a time to live follows, as the
 * moment it ends, since the batch itself may wait for a busy thread.
 */

const KIND_PUSH = 1;
const KIND_MULTICAST = 2;
const KIND_CALL = 3;
const KIND_CANCEL = 4;
const HAS_EXPIRY = 0x80;
const ITEM_HEADER_BYTES = 14;
const EXPIRY_BYTES = 8;
const OFFSET_BYTES = 8;
const SERIAL_BYTES = 8;
const TARGET_BYTES = 10;
const NOTHING = new Uint8Array(0);

interface Waiting {
  /** `DeliveryFlag`s. */
  readonly flags: number;
  /** Milliseconds since the Unix epoch when its time to live is over; 0 when it has none. */
  readonly expiresAtMs: number;
}

export interface PushItem extends Waiting {
  readonly kind: 'push';
  readonly pushId: number;
  readonly businessId: number;
  /** Targets: where each stands in the push, and its serial number on the receiving worker. */
  readonly indexes: readonly number[];
  readonly serials: readonly number[];
  readonly frame: Uint8Array;
}

export interface MulticastItem extends Waiting {
  readonly kind: 'multicast';
  readonly pushId: number;
  readonly businessId: number;
  readonly group: string;
  readonly offset: number;
  readonly frame: Uint8Array;
}

/** A request to one device; answered by `RouterLink.callReply`. */
export interface CallItem {
  readonly kind: 'call';
  /** The request id of the frame. */
  readonly callId: number;
  readonly businessId: number;
  readonly serial: number;
  readonly frame: Uint8Array;
}

/** The answer to a call is no longer wanted. */
export interface CancelItem {
  readonly kind: 'cancel';
  readonly callId: number;
  readonly serial: number;
}

export type DeliveryItem = PushItem | MulticastItem | CallItem | CancelItem;

/** An item's header as numbers, and how many bytes follow it. */
interface Head {
  readonly kind: number;
  readonly id: number;
  readonly businessId: number;
  readonly count: number;
  readonly flags: number;
  readonly expiresAtMs: number;
  readonly ownBytes: number;
  readonly frame: Uint8Array;
  readonly group: Buffer | undefined;
}

export function encodeDeliveries(items: readonly DeliveryItem[]): Uint8Array {
  const heads = items.map(headOf);
  // Not from the pool: a clone to another thread takes the whole of what is behind a buffer.
  const batch = Buffer.allocUnsafeSlow(heads.reduce((bytes, head) => bytes + itemBytes(head), 0));
  let at = 0;
  items.forEach((item, i) => {
    const head = heads[i] as Head;
    at = writeHead(batch, at, head);
    if (item.kind === 'push') {
      item.serials.forEach((serial, t) => {
        batch.writeUInt16BE(item.indexes[t] as number, at);
        at = batch.writeDoubleBE(serial, at + 2);
      });
    } else if (item.kind === 'multicast') {
      at = batch.writeDoubleBE(item.offset, at);
      at += (head.group as Buffer).copy(batch, at);
    } else {
      at = batch.writeDoubleBE(item.serial, at);
    }
    batch.set(head.frame, at);
    at += head.frame.length;
  });
  return batch;
}

function headOf(item: DeliveryItem): Head {
  switch (item.kind) {
    case 'push': {
      const { pushId, businessId, flags, expiresAtMs, frame } = item;
      const count = item.serials.length;
      const ownBytes = count * TARGET_BYTES;
      return { kind: KIND_PUSH, id: pushId, businessId, count, flags, expiresAtMs, ownBytes, frame, group: undefined };
    }
    case 'multicast': {
      const { pushId, businessId, flags, expiresAtMs, frame } = item;
      const group = Buffer.from(item.group);
      const count = group.length;
      const ownBytes = OFFSET_BYTES + count;
      return { kind: KIND_MULTICAST, id: pushId, businessId, count, flags, expiresAtMs, ownBytes, frame, group };
    }
    case 'call':
      return callHead(KIND_CALL, item.callId, item.businessId, item.frame);
    case 'cancel':
      return callHead(KIND_CANCEL, item.callId, 0, NOTHING);
  }
}

function callHead(kind: number, id: number, businessId: number, frame: Uint8Array): Head {
  return { kind, id, businessId, count: 0, flags: 0, expiresAtMs: 0, ownBytes: SERIAL_BYTES, frame, group: undefined };
}

function itemBytes({ expiresAtMs, ownBytes, frame }: Head): number {
  return ITEM_HEADER_BYTES + (expiresAtMs === 0 ? 0 : EXPIRY_BYTES) + ownBytes + frame.length;
}

/** @returns where the header ends */
function writeHead(batch: Buffer, at: number, head: Head): number {
  batch[at] = head.kind;
  batch[at + 1] = head.expiresAtMs === 0 ? head.flags : head.flags | HAS_EXPIRY;
  batch.writeUInt32BE(head.id, at + 2);
  batch.writeUInt16BE(head.businessId, at + 6);
  batch.writeUInt16BE(head.count, at + 8);
  batch.writeUInt32BE(head.frame.length, at + 10);
  const end = at + ITEM_HEADER_BYTES;
  return head.expiresAtMs === 0 ? end : batch.writeDoubleBE(head.expiresAtMs, end);
}

/**
 * @param bytes from `encodeDeliveries`; frames are views on it
 * @throws {RangeError} they do not hold whole items
 */
export function decodeDeliveries(bytes: Uint8Array): DeliveryItem[] {
  const batch = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const items: DeliveryItem[] = [];
  let at = 0;
  while (at < batch.length) {
    const kind = batch[at];
    const bits = batch[at + 1] as number;
    const id = batch.readUInt32BE(at + 2);
    const businessId = batch.readUInt16BE(at + 6);
    const count = batch.readUInt16BE(at + 8);
    const frameBytes = batch.readUInt32BE(at + 10);
    at += ITEM_HEADER_BYTES;
    const flags = bits & ~HAS_EXPIRY;
    let expiresAtMs = 0;
    if ((bits & HAS_EXPIRY) !== 0) {
      expiresAtMs = batch.readDoubleBE(at);
      at += EXPIRY_BYTES;
    }
    if (kind === KIND_PUSH) {
      const indexes = new Array<number>(count);
      const serials = new Array<number>(count);
      for (let t = 0; t < count; t++, at += TARGET_BYTES) {
        indexes[t] = batch.readUInt16BE(at);
        serials[t] = batch.readDoubleBE(at + 2);
      }
      const frame = batch.subarray(at, at + frameBytes);
      items.push({ kind: 'push', pushId: id, businessId, flags, expiresAtMs, indexes, serials, frame });
    } else if (kind === KIND_MULTICAST) {
      const offset = batch.readDoubleBE(at);
      const group = batch.toString('utf8', at + OFFSET_BYTES, at + OFFSET_BYTES + count);
      at += OFFSET_BYTES + count;
      const frame = batch.subarray(at, at + frameBytes);
      items.push({ kind: 'multicast', pushId: id, businessId, flags, expiresAtMs, group, offset, frame });
    } else {
      if (kind !== KIND_CALL && kind !== KIND_CANCEL) throw new RangeError(`no delivery is of kind ${kind}`);
      const serial = batch.readDoubleBE(at);
      at += SERIAL_BYTES;
      if (kind === KIND_CANCEL) items.push({ kind: 'cancel', callId: id, serial });
      else items.push({ kind: 'call', callId: id, businessId, serial, frame: batch.subarray(at, at + frameBytes) });
    }
    at += frameBytes;
    if (at > batch.length) throw new RangeError('a delivery ends beyond its batch');
  }
  return items;
}
