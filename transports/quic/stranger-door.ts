/**
 * What strangers get before the server keeps anything for them: a list of versions, a Retry with a token, a reset for a
 * connection that is not known any more. Each answer is shorter than three times the question, most are shorter than it,
 * and their number a second is bounded.
 *
 * @see RFC 9000, sections 6, 8.1 and 10.3
 */
import { randomFillSync } from 'node:crypto';
import { AddressTokens } from './address-tokens.js';
import type { ConnectionIds } from './connection-ids.js';
import { RESET_TOKEN_BYTES } from './connection-ids.js';
import type { Quiche } from './native.js';
import { type LongHeader, MIN_INITIAL_DATAGRAM_BYTES, QUIC_VERSION_1 } from './packet-header.js';
import { RateBucket } from './rate-bucket.js';

const ANSWERS_PER_SECOND = 20_000;
const RESETS_PER_SECOND = 200;
const MAX_ANSWER_BYTES = 256;
const MIN_CLIENT_ID_BYTES = 8;
/** RFC 9000, section 10.3: no shorter packet looks like one with a connection id. */
const RESET_BYTES = 43;
const FIXED_BIT = 0x40;
const RESET_BITS = 0x3f;

/** A client that has proved its address. */
export interface ProvedClient {
  readonly firstId: Buffer;
}

export class StrangerDoor {
  readonly #quiche: Quiche;
  readonly #ids: ConnectionIds;
  readonly #tokens: AddressTokens;
  readonly #answers: RateBucket;
  readonly #resets: RateBucket;
  readonly #reply: (bytes: Uint8Array, address: string, port: number) => void;

  constructor(
    quiche: Quiche,
    ids: ConnectionIds,
    reply: (bytes: Uint8Array, address: string, port: number) => void,
    nowMs: () => number,
  ) {
    this.#quiche = quiche;
    this.#ids = ids;
    this.#reply = reply;
    this.#tokens = new AddressTokens(nowMs);
    this.#answers = new RateBucket(ANSWERS_PER_SECOND, nowMs());
    this.#resets = new RateBucket(RESETS_PER_SECOND, nowMs());
  }

  /** @returns the client, when it has proved its address; otherwise it was answered or ignored */
  admit(header: LongHeader, bytes: number, address: string, port: number, nowMs: number): ProvedClient | undefined {
    // Shorter, it could make us send more than it sent itself.
    if (bytes < MIN_INITIAL_DATAGRAM_BYTES) return undefined;
    if (header.version !== QUIC_VERSION_1) {
      // Version 0 is itself a list of versions.
      if (header.version !== 0 && this.#answers.take(nowMs)) this.#negotiate(header, address, port);
      return undefined;
    }
    if (!header.isInitial || header.dcid.length < MIN_CLIENT_ID_BYTES) return undefined;
    const firstId = this.#tokens.check(peerOf(address, port), header.dcid, header.token);
    if (firstId !== undefined) return { firstId };
    if (this.#answers.take(nowMs)) this.#retry(header, address, port);
    return undefined;
  }

  /** A packet of a connection that is not known: the client should not have to wait for its timeouts. */
  reset(id: string, datagramBytes: number, address: string, port: number, nowMs: number): void {
    // Shorter than the question, so that two servers do not answer each other for ever.
    if (datagramBytes <= RESET_BYTES || !this.#resets.take(nowMs)) return;
    const bytes = randomFillSync(Buffer.allocUnsafe(RESET_BYTES));
    bytes[0] = ((bytes[0] as number) & RESET_BITS) | FIXED_BIT;
    bytes.set(this.#ids.resetToken(Buffer.from(id, 'latin1')), RESET_BYTES - RESET_TOKEN_BYTES);
    this.#reply(bytes, address, port);
  }

  #negotiate({ scid, dcid }: LongHeader, address: string, port: number): void {
    // Ids of other versions may be longer than quiche takes.
    if (scid.length > this.#quiche.MAX_CONN_ID_LEN || dcid.length > this.#quiche.MAX_CONN_ID_LEN) return;
    const out = Buffer.allocUnsafe(MAX_ANSWER_BYTES);
    this.#reply(out.subarray(0, this.#quiche.negotiateVersion(scid, dcid, out)), address, port);
  }

  #retry({ scid, dcid, version }: LongHeader, address: string, port: number): void {
    const chosenId = this.#ids.create();
    const token = this.#tokens.issue(peerOf(address, port), chosenId, dcid);
    const out = Buffer.allocUnsafe(MAX_ANSWER_BYTES);
    const bytes = this.#quiche.retry(scid, dcid, chosenId, token, version, out);
    this.#reply(out.subarray(0, bytes), address, port);
  }
}

function peerOf(address: string, port: number): string {
  return `${address} ${port}`;
}
