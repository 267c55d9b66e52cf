/**
 * Connection ids of this server. The first byte names the worker that holds the connection, so that a packet which the
 * kernel gave to another worker, because its client has a new address, can be handed over; the rest is random. A reset
 * token follows from the id and a secret that outlives the thread, so that a worker which forgot a connection, by a
 * restart, can tell its client at once.
 *
 * @see RFC 9000, sections 5.1 and 10.3; docs/decisions/0072-one-id-names-the-worker.md
 */
import { createHmac, createSecretKey, type KeyObject, randomFillSync } from 'node:crypto';
import { CONNECTION_ID_BYTES } from './packet-header.js';

export const RESET_TOKEN_BYTES = 16;
export const MAX_WORKERS = 256;

/** Random bytes are drawn for this many ids at once. */
const BATCH = 256;

export class ConnectionIds {
  readonly #worker: number;
  readonly #resetKey: KeyObject;
  readonly #pool = Buffer.alloc(BATCH * CONNECTION_ID_BYTES);
  #used = this.#pool.length;

  /**
   * @param worker 0 to 255
   * @param secret the same for all workers and runs, such as the private key of the certificate
   */
  constructor(worker: number, secret: string) {
    this.#worker = worker;
    const key = createHmac('sha256', secret).update('trunkline quic stateless reset').digest();
    this.#resetKey = createSecretKey(key);
  }

  create(): Buffer {
    if (this.#used === this.#pool.length) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const id = Buffer.from(this.#pool.subarray(this.#used, this.#used + CONNECTION_ID_BYTES));
    this.#used += CONNECTION_ID_BYTES;
    id[0] = this.#worker;
    return id;
  }

  resetToken(id: Uint8Array): Buffer {
    return createHmac('sha256', this.#resetKey).update(id).digest().subarray(0, RESET_TOKEN_BYTES);
  }

  /** As quiche takes it. */
  resetNumber(id: Uint8Array): bigint {
    return BigInt(`0x${this.resetToken(id).toString('hex')}`);
  }
}

/** @param id latin1 or bytes */
export function workerOfId(id: string | Uint8Array): number {
  return typeof id === 'string' ? id.charCodeAt(0) : (id[0] ?? 0);
}
