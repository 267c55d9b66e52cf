/** A payload as the bridge's JSON takes it: text as it is, bytes as base64. */
import type { PayloadInput } from '../message.js';

export function payloadForm(payload: PayloadInput): { payload: string } | { payloadBase64: string } {
  if (typeof payload === 'string') return { payload };
  return { payloadBase64: Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('base64') };
}
