/**
 * A view on part of `bytes`, always a plain `Uint8Array`: `subarray` of a Node Buffer makes another Buffer, at twice
 * the cost, and frames would differ in kind by the link they came over.
 */
export function view(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}
