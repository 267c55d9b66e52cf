/**
 * Several messages in one, for what leaves for the same channel together.
 *
 *   message   version u8  items          item      length u32  bytes
 *
 * Integers are big-endian. Of another version nothing is read: nodes of two versions may meet on a channel.
 */
const VERSION = 1;
const HEADER_BYTES = 1;
const LENGTH_BYTES = 4;

export function packItems(items: readonly Uint8Array[]): Buffer {
  const packed = Buffer.allocUnsafe(items.reduce((sum, { length }) => sum + LENGTH_BYTES + length, HEADER_BYTES));
  packed[0] = VERSION;
  let at = HEADER_BYTES;
  for (const item of items) {
    at = packed.writeUInt32BE(item.length, at);
    packed.set(item, at);
    at += item.length;
  }
  return packed;
}

/** @returns views of `packed`; none when it is of another version or does not add up */
export function unpackItems(packed: Buffer): Uint8Array[] {
  const items: Uint8Array[] = [];
  if (packed[0] !== VERSION) return items;
  let at = HEADER_BYTES;
  while (at + LENGTH_BYTES <= packed.length) {
    const start = at + LENGTH_BYTES;
    at = start + packed.readUInt32BE(at);
    if (at <= packed.length) items.push(packed.subarray(start, at));
  }
  return at === packed.length ? items : [];
}
