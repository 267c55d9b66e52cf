/** Memory for packets, one after the other in pieces that live until the kernel has taken what is in them. */
import { MAX_DATAGRAM_BYTES } from './client-config.js';

const SLAB_BYTES = 64 * 1024;

export class PacketSlab {
  #slab = new Uint8Array(SLAB_BYTES);
  #used = 0;

  /** Where a packet is to be written; good until the next call. */
  next(): Uint8Array {
    if (this.#used + MAX_DATAGRAM_BYTES > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    return this.#slab.subarray(this.#used, this.#used + MAX_DATAGRAM_BYTES);
  }

  /** @returns the packet that was written there, its memory no longer in use for others */
  taken(bytes: number): Uint8Array {
    const packet = this.#slab.subarray(this.#used, this.#used + bytes);
    this.#used += bytes;
    return packet;
  }
}
