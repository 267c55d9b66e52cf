/**
 * The codec of what became of pushes, on their way back to the router: many outcomes in one buffer.
 *
 *   outcome   push id u32  target index u16  code u8  members u32
 *
 * Integers are big-endian.
 */

const OUTCOME_BYTES = 11;
/** The last of `OutcomeCode`. */
const MAX_CODE = 8;

/** What became of one target, or of a multicast on one worker. */
export const OutcomeCode = {
  delivered: 0,
  offline: 1,
  slow: 2,
  closed: 3,
  unknown: 4,
  /** A multicast that found its group's queue full. */
  overloaded: 5,
  /** Its time to live passed. */
  expired: 6,
  /** Droppable, and the node is overloaded. */
  shed: 7,
  /** It never left this node. */
  unreachable: 8,
} as const;
export type OutcomeCode = (typeof OutcomeCode)[keyof typeof OutcomeCode];

/** Stands for the target index in a multicast's outcome, whose target is the worker that reports it. */
export const MULTICAST_INDEX = 0xffff;

export interface Outcome {
  readonly pushId: number;
  readonly index: number;
  readonly code: OutcomeCode;
  /** Members reached; multicasts only. */
  readonly members: number;
}

/** Gathers outcomes until `take`. */
export class OutcomeWriter {
  #bytes = Buffer.allocUnsafe(OUTCOME_BYTES * 64);
  #at = 0;

  get isEmpty(): boolean {
    return this.#at === 0;
  }

  add(pushId: number, index: number, code: OutcomeCode, members: number): void {
    if (this.#at === this.#bytes.length) {
      const grown = Buffer.allocUnsafe(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.writeUInt32BE(pushId, this.#at);
    this.#bytes.writeUInt16BE(index, this.#at + 4);
    this.#bytes[this.#at + 6] = code;
    this.#bytes.writeUInt32BE(members, this.#at + 7);
    this.#at += OUTCOME_BYTES;
  }

  /** @returns a copy of what was gathered, and starts anew */
  take(): Uint8Array {
    const bytes = Uint8Array.prototype.slice.call(this.#bytes, 0, this.#at);
    this.#at = 0;
    return bytes;
  }
}

/** @param bytes from `OutcomeWriter.take`, trusted */
export function* decodeOutcomes(bytes: Uint8Array): Generator<Outcome> {
  const batch = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < batch.length; at += OUTCOME_BYTES) {
    yield {
      pushId: batch.readUInt32BE(at),
      index: batch.readUInt16BE(at + 4),
      code: batch[at + 6] as OutcomeCode,
      members: batch.readUInt32BE(at + 7),
    };
  }
}

/** Whether bytes of another node may be handed to `decodeOutcomes`. */
export function areOutcomes(bytes: Uint8Array): boolean {
  if (bytes.length % OUTCOME_BYTES !== 0) return false;
  for (let at = 6; at < bytes.length; at += OUTCOME_BYTES) if ((bytes[at] as number) > MAX_CODE) return false;
  return true;
}
