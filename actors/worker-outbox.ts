/** What the router has for one access worker: pushes of one turn leave in one packed batch. */
import { type DeliveryItem, encodeDeliveries } from './delivery-batch.js';
import { Gatherer, type GatherWindow } from './gatherer.js';

/** The worker's mailbox as the router sees it; `cluster/` fills in the actor. */
export interface WorkerPort {
  send(topic: string, message: object): Promise<unknown>;
  sendAndReceive(topic: string, message: object): Promise<unknown>;
}

export class WorkerOutbox {
  readonly #port: WorkerPort;
  readonly #onError: (error: unknown) => void;
  #items: DeliveryItem[] = [];
  readonly #gatherer: Gatherer;

  constructor(port: WorkerPort, windowMs: GatherWindow, onError: (error: unknown) => void) {
    this.#port = port;
    this.#onError = onError;
    this.#gatherer = new Gatherer(() => this.#flush(), windowMs);
  }

  deliver(item: DeliveryItem): void {
    this.#items.push(item);
    this.#gatherer.wake();
  }

  send(topic: string, message: object): void {
    this.#port.send(topic, message).catch(this.#onError);
  }

  ask<Reply>(topic: string, message: object): Promise<Reply> {
    return this.#port.sendAndReceive(topic, message) as Promise<Reply>;
  }

  /** The worker is gone; what waited is dropped, its pushes become unknown. */
  close(): void {
    this.#gatherer.cancel();
    this.#items = [];
  }

  #flush(): void {
    const batch = encodeDeliveries(this.#items);
    this.#items = [];
    this.send('deliver', { batch });
  }
}
