/**
 * Which network a link comes from, as 32 bits: an IPv4 address, or the /64 of an IPv6 address, since a single customer
 * has at least one of those to choose from. The hash is keyed (HalfSipHash-2-4 with a key of the node's own), so that
 * nobody can look for addresses that count as somebody else's.
 *
 * @see https://github.com/veorq/SipHash
 */
import { isIPv4, isIPv6 } from 'node:net';

/** Two words of secret. */
export type HashKey = readonly [number, number];

/** @param address as a socket tells it; what is no IP address has a network of its own */
export function networkHash(address: string, key: HashKey): number {
  if (isIPv4(address)) return sipHash(0, ipv4Word(address), key);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return sipHash(0, ipv4Word(mapped), key);
  if (!isIPv6(address)) return sipHash(0, 0, key);
  const [first, second] = firstWords(address);
  // No address of the Internet begins with 32 zero bits, so this is apart from IPv4.
  return sipHash(first, second, key);
}

function ipv4Word(address: string): number {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return (a << 24) | (b << 16) | (c << 8) | d;
}

/** The first 64 bits of an IPv6 address. */
function firstWords(address: string): [number, number] {
  const [head = '', tail] = address.split('%', 1).join('').split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const tailGroups = tail === '' ? [] : tail.split(':');
    // A dotted IPv4 at the end stands for two groups.
    const dotted = tail.includes('.') ? 1 : 0;
    while (groups.length + tailGroups.length + dotted < 8) groups.push('0');
    groups.push(...tailGroups);
  }
  const [a = 0, b = 0, c = 0, d = 0] = groups.slice(0, 4).map((group) => Number.parseInt(group, 16));
  return [(a << 16) | b, (c << 16) | d];
}

const FINAL = 0xff;
/** Length of the message, in the last byte of its last word. */
const LENGTH_WORD = 8 << 24;

/** Nothing is kept in it from one call to the next. */
const STATE = new Int32Array(4);

/** HalfSipHash-2-4 of two words. */
function sipHash(first: number, second: number, [k0, k1]: HashKey): number {
  const v = STATE;
  v.set([k0, k1, 0x6c796765 ^ k0, 0x74656462 ^ k1]);
  for (const word of [first, second, LENGTH_WORD]) {
    v[3] = (v[3] as number) ^ word;
    round(v);
    round(v);
    v[0] = (v[0] as number) ^ word;
  }
  v[2] = (v[2] as number) ^ FINAL;
  for (let i = 0; i < 4; i++) round(v);
  return (v[1] as number) ^ (v[3] as number);
}

function round(v: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0] = v;
  a = (a + b) | 0;
  b = rotate(b, 5) ^ a;
  a = rotate(a, 16);
  c = (c + d) | 0;
  d = rotate(d, 8) ^ c;
  a = (a + d) | 0;
  d = rotate(d, 7) ^ a;
  c = (c + b) | 0;
  b = rotate(b, 13) ^ c;
  c = rotate(c, 16);
  v.set([a, b, c, d]);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
