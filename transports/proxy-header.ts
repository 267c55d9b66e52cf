/**
 * The PROXY protocol, versions 1 and 2: what a proxy puts in front of a connection to say where it came from. Nothing
 * but the source address is of use here, so everything else is checked for its form and passed over.
 *
 * @see https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
 */
import { isIPv4, isIPv6 } from 'node:net';
import { TrunklineError } from '../protocol/index.js';

/** The longest header that is read. A v1 line has at most 107 bytes; v2 may carry extensions, of which none is needed. */
export const MAX_PROXY_HEADER_BYTES = 4_096;
const MAX_V1_BYTES = 107;

const V1_START = Buffer.from('PROXY ', 'latin1');
const V2_START = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);
const V2_HEAD_BYTES = 16;

const LOCAL = 0;
const PROXIED = 1;
const INET = 1;
const INET6 = 2;
const STREAM = 1;

/** The bytes in front of a connection are no PROXY protocol header. The link is cut off. */
export class ProxyHeaderError extends TrunklineError {
  readonly code = 'TRK_PROXY_HEADER';
}

export interface ProxyHeader {
  /** Length of the header; what follows is the connection's own. */
  readonly bytes: number;
  /** The source, where the proxy names one: not for its own health checks, nor for what it calls unknown. */
  readonly source?: string;
}

/**
 * @returns undefined while the header is not complete
 * @throws {ProxyHeaderError}
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (startsLike(bytes, V2_START)) return bytes.length < V2_HEAD_BYTES ? undefined : parseV2(bytes);
  if (startsLike(bytes, V1_START)) return parseV1(bytes);
  throw new ProxyHeaderError('no PROXY protocol header');
}

/** Whether `bytes` begins with `start`, as far as it goes. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

/** `PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n` */
function parseV1(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf('\r\n');
  if (end < 0) {
    if (bytes.length >= MAX_V1_BYTES) throw new ProxyHeaderError('version 1 line without an end');
    return undefined;
  }
  const length = end + 2;
  const [, family, source = '', destination = '', sourcePort, destinationPort, ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  // What follows UNKNOWN up to the end of the line is to be ignored.
  if (family === 'UNKNOWN') return { bytes: length };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined;
  if (isAddress === undefined) throw new ProxyHeaderError('version 1 with another family than TCP4 and TCP6');
  const isWhole = isPort(sourcePort) && isPort(destinationPort) && more.length === 0;
  if (!isWhole || !isAddress(source) || !isAddress(destination)) throw new ProxyHeaderError('malformed version 1 line');
  return { bytes: length, source };
}

/** An address from a network has no zone. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

/** Signature, version and command, family and protocol, length, addresses, extensions. */
function parseV2(bytes: Buffer): ProxyHeader | undefined {
  const version = bytes.readUInt8(12) >> 4;
  const command = bytes.readUInt8(12) & 0x0f;
  if (version !== 2 || command > PROXIED) throw new ProxyHeaderError('unknown version or command');
  const bodyBytes = bytes.readUInt16BE(14);
  const length = V2_HEAD_BYTES + bodyBytes;
  if (length > MAX_PROXY_HEADER_BYTES) throw new ProxyHeaderError(`version 2 header of ${length} bytes`);
  if (bytes.length < length) return undefined;
  const family = bytes.readUInt8(13) >> 4;
  const protocol = bytes.readUInt8(13) & 0x0f;
  // The proxy speaks for itself, or does not know: then the link's own address counts.
  if (command === LOCAL || family === 0) return { bytes: length };
  if (protocol !== STREAM) throw new ProxyHeaderError('version 2 for another protocol than TCP');
  if (family === INET && bodyBytes >= 12) return { bytes: length, source: ipv4At(bytes, V2_HEAD_BYTES) };
  if (family === INET6 && bodyBytes >= 36) return { bytes: length, source: ipv6At(bytes, V2_HEAD_BYTES) };
  throw new ProxyHeaderError('version 2 without a TCP address');
}

function ipv4At(bytes: Buffer, at: number): string {
  return bytes.subarray(at, at + 4).join('.');
}

function ipv6At(bytes: Buffer, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(at + i * 2).toString(16));
  return groups.join(':');
}
