/**
 * Proof that a client hears at the address it sends from, without keeping anything for it: the token of a Retry packet.
 * It is bound to the address and port, to the connection ids of this attempt, and to a moment; the key never leaves the
 * thread and lives as long as it.
 *
 * A token: expiry (8 bytes, milliseconds), the client's first connection id (8 to 20), MAC (16).
 *
 * @see RFC 9000, section 8.1
 */
import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';

const KEY_BYTES = 32;
const EXPIRY_BYTES = 8;
const MAC_BYTES = 16;
const MIN_ID_BYTES = 8;
const MAX_ID_BYTES = 20;

/** A client answers a Retry at once. */
export const TOKEN_LIFE_MS = 10_000;

export class AddressTokens {
  /** Bytes would be made into a key each time, which takes longer than the MAC. */
  readonly #key = createSecretKey(randomBytes(KEY_BYTES));
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /**
   * @param peer address and port as one text
   * @param chosenId the connection id by which the client goes on
   * @param firstId the one that the client began with
   */
  issue(peer: string, chosenId: Uint8Array, firstId: Uint8Array): Buffer {
    const body = Buffer.alloc(EXPIRY_BYTES + firstId.length);
    body.writeDoubleBE(this.#nowMs() + TOKEN_LIFE_MS);
    body.set(firstId, EXPIRY_BYTES);
    return Buffer.concat([body, this.#mac(peer, chosenId, body)]);
  }

  /** @returns the connection id that the client began with; `undefined` for a token that is not good, or not any more */
  check(peer: string, chosenId: Uint8Array, token: Buffer): Buffer | undefined {
    const idBytes = token.length - EXPIRY_BYTES - MAC_BYTES;
    if (idBytes < MIN_ID_BYTES || idBytes > MAX_ID_BYTES) return undefined;
    const body = token.subarray(0, EXPIRY_BYTES + idBytes);
    const mac = token.subarray(EXPIRY_BYTES + idBytes);
    if (!timingSafeEqual(mac, this.#mac(peer, chosenId, body))) return undefined;
    return body.readDoubleBE() > this.#nowMs() ? Buffer.from(body.subarray(EXPIRY_BYTES)) : undefined;
  }

  #mac(peer: string, chosenId: Uint8Array, body: Uint8Array): Buffer {
    const hmac = createHmac('sha256', this.#key);
    // Each part but the last has its length before it, so that no two splits are the same text.
    hmac.update(`${peer.length} ${peer} ${chosenId.length} `).update(chosenId).update(body);
    return hmac.digest().subarray(0, MAC_BYTES);
  }
}
