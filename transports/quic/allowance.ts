/**
 * How much a peer may send that is no data of its stream. Handshakes, acknowledgements and path checks are that, in small
 * amounts; floods of CRYPTO or NEW_CONNECTION_ID frames are as well, and quiche 0.18 keeps memory for those without an
 * end (CVE-2024-1765, CVE-2024-1410). Every datagram is paid for from a bucket, and stream data and the datagrams that the
 * peer has to acknowledge fill it again; who has emptied it is cut off.
 */

/** What a connection may waste at once. */
export const ALLOWANCE_BYTES = 128 * 1024;
const REFILL_BYTES_PER_MS = 4;
/** A datagram of ours may be acknowledged in one of this length. */
const ACKNOWLEDGEMENT_BYTES = 80;
/** Headers and tags make small data expensive. */
const STREAM_CREDIT = 2;

export class Allowance {
  #leftBytes = ALLOWANCE_BYTES;
  #lastMs: number;

  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  /** @returns whether the peer may go on */
  received(datagramBytes: number, nowMs: number): boolean {
    this.#add((nowMs - this.#lastMs) * REFILL_BYTES_PER_MS - datagramBytes);
    this.#lastMs = nowMs;
    return this.#leftBytes > 0;
  }

  delivered(streamBytes: number): void {
    this.#add(streamBytes * STREAM_CREDIT);
  }

  sent(): void {
    this.#add(ACKNOWLEDGEMENT_BYTES);
  }

  #add(bytes: number): void {
    this.#leftBytes = Math.min(this.#leftBytes + bytes, ALLOWANCE_BYTES);
  }
}
