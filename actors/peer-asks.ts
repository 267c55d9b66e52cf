/** What another node was asked and has not answered. Whoever waits is told when there is nothing to wait for. */
import { createIds } from './ids.js';

/** A node that does not answer for this long has failed to. */
const ASK_TIMEOUT_MS = 2_000;

interface PendingAsk {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class PeerAsks {
  readonly #asks = new Map<number, PendingAsk>();
  readonly #nextId = createIds();

  begin<Reply>(): { id: number; reply: Promise<Reply> } {
    const id = this.#nextId();
    const reply = new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => this.fail(id), ASK_TIMEOUT_MS);
      this.#asks.set(id, { resolve, reject, timer });
    });
    return { id, reply: reply as Promise<Reply> };
  }

  /** @param answer `undefined` when what was asked failed there */
  settle(id: number, answer: unknown): void {
    if (answer === undefined) return this.fail(id);
    this.#take(id)?.resolve(answer);
  }

  fail(id: number): void {
    this.#take(id)?.reject(new Error('the node did not answer'));
  }

  failAll(): void {
    for (const id of [...this.#asks.keys()]) this.fail(id);
  }

  #take(id: number): PendingAsk | undefined {
    const ask = this.#asks.get(id);
    clearTimeout(ask?.timer);
    this.#asks.delete(id);
    return ask;
  }
}
