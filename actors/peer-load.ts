/**
 * What waits to leave for another node in one message. It keeps what was put in as it is, beside the bytes it will
 * be, because what becomes of each is to be told when the message does not arrive.
 */
import type { DeliveryItem } from './delivery-batch.js';
import { type OutcomeCode, OutcomeWriter } from './outcome-batch.js';
import { type Answer, type Ask, type MulticastAnswer, PeerBatchWriter, type Tell } from './peer-batch.js';

/** About what an item adds besides its frame and targets, or a small section. */
const OVERHEAD_BYTES = 32;
const TARGET_BYTES = 10;
const JSON_BYTES = 256;

export class PeerLoad {
  /** By worker of the node it is for. */
  readonly deliveries = new Map<number, DeliveryItem[]>();
  readonly tells: Tell[] = [];
  readonly asks: Ask[] = [];
  /** By worker of this node, which they come from. */
  readonly #outcomes = new Map<number, OutcomeWriter>();
  readonly #replies = new Map<number, Uint8Array[]>();
  readonly #answers: Answer[] = [];
  readonly #multicasts: MulticastAnswer[] = [];
  #bytes = 0;

  /** About how long its message will be. */
  get bytes(): number {
    return this.#bytes;
  }

  deliver(worker: number, item: DeliveryItem): void {
    entryOf(this.deliveries, worker, () => []).push(item);
    this.#bytes += bytesOf(item);
  }

  outcome(worker: number, pushId: number, index: number, code: OutcomeCode): void {
    entryOf(this.#outcomes, worker, () => new OutcomeWriter()).add(pushId, index, code, 0);
    this.#bytes += TARGET_BYTES;
  }

  reply(worker: number, frame: Uint8Array): void {
    entryOf(this.#replies, worker, () => []).push(frame);
    this.#bytes += frame.length;
  }

  tell(tell: Tell): void {
    this.tells.push(tell);
    this.#bytes += JSON_BYTES;
  }

  ask(ask: Ask): void {
    this.asks.push(ask);
    this.#bytes += JSON_BYTES;
  }

  answer(answer: Answer): void {
    this.#answers.push(answer);
    this.#bytes += JSON_BYTES;
  }

  multicast(answer: MulticastAnswer): void {
    this.#multicasts.push(answer);
    this.#bytes += TARGET_BYTES;
  }

  encode(origin: string, epochMs: number): Uint8Array {
    const writer = new PeerBatchWriter(origin);
    for (const tell of this.tells) writer.tell(tell);
    for (const [worker, items] of this.deliveries) writer.deliveries(worker, items, epochMs);
    for (const [worker, outcomes] of this.#outcomes) writer.outcomes(worker, outcomes);
    for (const [worker, frames] of this.#replies) writer.replies(worker, frames);
    for (const ask of this.asks) writer.ask(ask);
    for (const answer of this.#answers) writer.answer(answer);
    if (this.#multicasts.length > 0) writer.multicasts(this.#multicasts);
    return writer.finish();
  }
}

/** About how many bytes an item is in a message. */
export function bytesOf(item: DeliveryItem): number {
  if (item.kind === 'cancel') return OVERHEAD_BYTES;
  const targets = item.kind === 'push' ? item.serials.length : 1;
  return OVERHEAD_BYTES + targets * TARGET_BYTES + item.frame.length;
}

function entryOf<Entry>(map: Map<number, Entry>, key: number, create: () => Entry): Entry {
  let entry = map.get(key);
  if (entry === undefined) {
    entry = create();
    map.set(key, entry);
  }
  return entry;
}
