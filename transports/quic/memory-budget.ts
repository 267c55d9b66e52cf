/**
 * The memory limit of a QUIC worker. Threads cannot be given one for native memory, where quiche keeps its connections, so
 * it is reckoned: what a connection takes was measured, what peers can add to it is bounded by windows and by the allowance,
 * and JavaScript's part of the thread is read. Who comes when it is spent is refused.
 *
 * @see docs/decisions/0071-quic-memory.md
 */
import { getHeapStatistics } from 'node:v8';

/** Native memory of a connection after its handshake, with room for what it has under way. */
export const CONNECTION_BYTES = 64 * 1024;
const LOOK_EVERY_MS = 500;

export class MemoryBudget {
  readonly #limitBytes: number;
  #heapBytes = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  isSpent(connections: number): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs > LOOK_EVERY_MS) {
      const { used_heap_size, external_memory } = getHeapStatistics();
      this.#heapBytes = used_heap_size + external_memory;
      this.#lookedMs = nowMs;
    }
    return this.#heapBytes + (connections + 1) * CONNECTION_BYTES > this.#limitBytes;
  }
}
