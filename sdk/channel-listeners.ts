/** Who listens on one business's channel: for pushes, and for requests to this device. */
import type { Push } from './message.js';
import type { RequestHandler } from './served-requests.js';

export type PushListener = (push: Push) => void;

export class ChannelListeners {
  readonly #pushes = new Set<{ readonly listener: PushListener }>();
  readonly #handlers = new Map<string, RequestHandler>();
  #anyMethod: RequestHandler | undefined;

  onPush(listener: PushListener): () => void {
    const entry = { listener };
    this.#pushes.add(entry);
    return () => this.#pushes.delete(entry);
  }

  /** A later handler of the same method takes the place of the earlier one; without a method it takes the rest. */
  onRequest(method: string | undefined, handler: RequestHandler): () => void {
    if (method === undefined) this.#anyMethod = handler;
    else this.#handlers.set(method, handler);
    return () => this.#remove(method, handler);
  }

  /** @param guard runs each listener, so that one that throws keeps none of the others from its push */
  deliver(push: Push, guard: (callback: () => void) => void): void {
    for (const { listener } of [...this.#pushes]) guard(() => listener(push));
  }

  handlerOf(method: string): RequestHandler | undefined {
    return this.#handlers.get(method) ?? this.#anyMethod;
  }

  #remove(method: string | undefined, handler: RequestHandler): void {
    if (method === undefined && this.#anyMethod === handler) this.#anyMethod = undefined;
    if (method !== undefined && this.#handlers.get(method) === handler) this.#handlers.delete(method);
  }
}
