/**
 * What is said to one channel leaves one after the other: the next when the one before was answered, and then all
 * that has gathered, as one. So order holds over slots that move and over a second attempt, and the more there is to
 * say the fewer commands it takes.
 */
import { EngineUnavailableError } from '../../../actors/index.js';

/** What leaves together, unless a single item is longer. */
const MAX_BATCH_BYTES = 1024 * 1024;

/**
 * Hands a batch to a channel.
 *
 * @returns what became of each item
 */
export type PublishBatch<Outcome> = (key: string, items: readonly Uint8Array[]) => Promise<readonly Outcome[]>;

interface Waiting<Outcome> {
  readonly bytes: Uint8Array;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

export class Lanes<Outcome> {
  readonly #publish: PublishBatch<Outcome>;
  /** What waits behind a batch under way; a lane is there while one is. */
  readonly #lanes = new Map<string, Waiting<Outcome>[]>();

  constructor(publish: PublishBatch<Outcome>) {
    this.#publish = publish;
  }

  /** @throws {EngineUnavailableError} `mayHaveArrived` is false of what was still waiting */
  add(key: string, bytes: Uint8Array): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const item = { bytes, resolve, reject };
      const lane = this.#lanes.get(key);
      if (lane !== undefined) {
        lane.push(item);
        return;
      }
      const queue = [item];
      this.#lanes.set(key, queue);
      void this.#run(key, queue);
    });
  }

  async #run(key: string, queue: Waiting<Outcome>[]): Promise<void> {
    while (queue.length > 0) {
      const batch = takeBatch(queue);
      try {
        const outcomes = await this.#publish(
          key,
          batch.map(({ bytes }) => bytes),
        );
        batch.forEach(({ resolve }, i) => {
          resolve(outcomes[i] as Outcome);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
        // To wait for the next failure would only tell them later.
        for (const { reject } of queue.splice(0)) reject(new EngineUnavailableError(false, { cause: error }));
      }
    }
    this.#lanes.delete(key);
  }
}

function takeBatch<Outcome>(queue: Waiting<Outcome>[]): Waiting<Outcome>[] {
  let bytes = 0;
  const end = queue.findIndex((item, i) => {
    bytes += item.bytes.length;
    return i > 0 && bytes > MAX_BATCH_BYTES;
  });
  return queue.splice(0, end < 0 ? queue.length : end);
}
