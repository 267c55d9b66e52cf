/**
 * The time of sending rides in the last eight bytes of a payload (big-endian double, µs of `clock.ts`). A payload
 * ends its frame, so the scanner finds the stamp from the frame's end and decodes no other field.
 */
export const STAMP_BYTES = 8;

export function stamp(payload: Buffer, sentUs: number): void {
  payload.writeDoubleBE(sentUs, payload.length - STAMP_BYTES);
}

export function stampedPayload(bytes: number, sentUs: number): Buffer {
  const payload = Buffer.alloc(bytes, 0x61);
  stamp(payload, sentUs);
  return payload;
}
