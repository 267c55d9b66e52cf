/** Codes in words, for people and for back-ends: a device only tells one from another. */
import { CloseCode, Status } from './codes.js';

const STATUS_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Status).map(([name, status]) => [
    status,
    name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
  ]),
);

/** A status as gRPC writes it, such as `DEADLINE_EXCEEDED`; a number that is none is `UNKNOWN`. */
export function statusName(status: number): string {
  return STATUS_NAMES.get(status) ?? 'UNKNOWN';
}

const CLOSE_WORDS: ReadonlyMap<number, string> = new Map([
  // The link went without a CLOSE.
  [0, 'link-lost'],
  ...Object.entries(CloseCode).map(([name, code]): [number, string] => [
    code,
    name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  ]),
]);

/**
 * A close code as a word, for people and for back-ends: its name above in lower case with dashes.
 *
 * @returns `link-lost` for 0, the end of a link without CLOSE; `unknown` for a number that is not in the list
 */
export function closeWord(closeCode: number): string {
  return CLOSE_WORDS.get(closeCode) ?? 'unknown';
}
