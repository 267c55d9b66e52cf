/**
 * The part of a QUIC packet that is readable without keys: enough to find its connection, or to answer a stranger without
 * keeping anything. quiche can do it too, at the price of a call into native code for every datagram of a flood.
 *
 * @see RFC 8999 (what all versions share); RFC 9000, section 17
 */

/** Length of the connection ids that this server chooses. */
export const CONNECTION_ID_BYTES = 12;
/** RFC 9000, section 17.2: in version 1 an id is no longer. */
const MAX_CONNECTION_ID_BYTES = 20;
/** RFC 9000, section 14.1: a client pads a datagram with an Initial to this length. */
export const MIN_INITIAL_DATAGRAM_BYTES = 1_200;
export const QUIC_VERSION_1 = 1;

const LONG_FORM = 0x80;
const FIXED_BIT = 0x40;
const PACKET_TYPE = 0x30;
const INITIAL = 0x00;

/** A packet of an established connection; `dcid` is one of ours, latin1. */
export interface ShortHeader {
  readonly form: 'short';
  readonly dcid: string;
}

export interface LongHeader {
  readonly form: 'long';
  readonly version: number;
  readonly isInitial: boolean;
  /** Views of the datagram. */
  readonly dcid: Buffer;
  readonly scid: Buffer;
  /** Empty unless it is an Initial of version 1 that carries one. */
  readonly token: Buffer;
}

const NO_TOKEN = Buffer.alloc(0);

/** @returns `undefined` for what is no QUIC packet, or was cut short */
export function readPacketHeader(datagram: Buffer): ShortHeader | LongHeader | undefined {
  const first = datagram[0];
  if (first === undefined) return undefined;
  if ((first & LONG_FORM) !== 0) return readLongHeader(datagram, first);
  if ((first & FIXED_BIT) === 0 || datagram.length < 1 + CONNECTION_ID_BYTES) return undefined;
  return { form: 'short', dcid: datagram.toString('latin1', 1, 1 + CONNECTION_ID_BYTES) };
}

function readLongHeader(datagram: Buffer, first: number): LongHeader | undefined {
  if (datagram.length < 7) return undefined;
  const version = datagram.readUInt32BE(1);
  const dcidEnd = 6 + (datagram[5] as number);
  const scidEnd = dcidEnd + 1 + (datagram[dcidEnd] ?? 0);
  if (dcidEnd >= datagram.length || scidEnd > datagram.length) return undefined;
  const dcid = datagram.subarray(6, dcidEnd);
  const scid = datagram.subarray(dcidEnd + 1, scidEnd);
  if (version !== QUIC_VERSION_1) return { form: 'long', version, isInitial: false, dcid, scid, token: NO_TOKEN };
  if ((first & FIXED_BIT) === 0) return undefined;
  if (dcid.length > MAX_CONNECTION_ID_BYTES || scid.length > MAX_CONNECTION_ID_BYTES) return undefined;
  if ((first & PACKET_TYPE) !== INITIAL)
    return { form: 'long', version, isInitial: false, dcid, scid, token: NO_TOKEN };
  const token = readToken(datagram, scidEnd);
  return token === undefined ? undefined : { form: 'long', version, isInitial: true, dcid, scid, token };
}

/** A token with a varint before it. */
function readToken(datagram: Buffer, at: number): Buffer | undefined {
  const first = datagram[at];
  if (first === undefined) return undefined;
  const bytes = 1 << (first >> 6);
  if (at + bytes > datagram.length) return undefined;
  // More than two bytes would be a token longer than any datagram.
  if (bytes > 2) return undefined;
  const length = bytes === 1 ? first & 0x3f : datagram.readUInt16BE(at) & 0x3fff;
  const end = at + bytes + length;
  return end > datagram.length ? undefined : datagram.subarray(at + bytes, end);
}
