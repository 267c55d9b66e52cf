/** What the router has for one access worker: pushes of one turn leave in one packed batch. */
import { encodeDeliveries, type MulticastItem, type PushItem } from './delivery-batch.js';

/** The worker's mailbox as the router sees it; `cluster/` fills in the actor. */
export interface WorkerPort {
  send(topic: string, message: object): Promise<unknown>;
  sendAndReceive(topic: string, message: object): Promise<unknown>;
}

export class WorkerOutbox {
  readonly #port: WorkerPort;
  readonly #onError: (error: unknown) => void;
  #items: (PushItem | MulticastItem)[] = [];
  #immediate: NodeJS.Immediate | undefined;

  constructor(port: WorkerPort, onError: (error: unknown) => void) {
    this.#port = port;
    this.#onError = onError;
  }

  deliver(item: PushItem | MulticastItem): void {
    this.#items.push(item);
    this.#immediate ??= setImmediate(() => this.#flush());
  }

  send(topic: string, message: object): void {
    this.#port.send(topic, message).catch(this.#onError);
  }

  ask<Reply>(topic: string, message: object): Promise<Reply> {
    return this.#port.sendAndReceive(topic, message) as Promise<Reply>;
  }

  /** The worker is gone; what waited is dropped, its pushes become unknown. */
  close(): void {
    clearImmediate(this.#immediate);
    this.#items = [];
  }

  #flush(): void {
    this.#immediate = undefined;
    const batch = encodeDeliveries(this.#items);
    this.#items = [];
    this.send('deliver', { batch });
  }
}
