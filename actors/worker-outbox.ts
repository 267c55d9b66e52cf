/** What the router has for one run of one access worker: pushes of one turn leave in one packed batch. */
import { type DeliveryItem, encodeDeliveries } from './delivery-batch.js';
import type { Destination } from './destinations.js';
import { Gatherer, type GatherWindow } from './gatherer.js';

/** The worker's mailbox as the router sees it; `cluster/` fills in the actor. */
export interface WorkerPort {
  send(topic: string, message: object): Promise<unknown>;
  sendAndReceive(topic: string, message: object): Promise<unknown>;
}

export interface WorkerOutboxOptions {
  readonly number: number;
  readonly worker: number;
  /** Which run of the worker; its connections' serial numbers hold it. */
  readonly generation: number;
  readonly port: WorkerPort;
  readonly gatherWindow: GatherWindow;
  readonly onError: (error: unknown) => void;
}

export class WorkerOutbox implements Destination {
  readonly number: number;
  readonly worker: number;
  readonly generation: number;
  readonly isLocal = true;
  readonly #port: WorkerPort;
  readonly #onError: (error: unknown) => void;
  #items: DeliveryItem[] = [];
  #isClosed = false;
  readonly #gatherer: Gatherer;

  constructor({ number, worker, generation, port, gatherWindow, onError }: WorkerOutboxOptions) {
    this.number = number;
    this.worker = worker;
    this.generation = generation;
    this.#port = port;
    this.#onError = onError;
    this.#gatherer = new Gatherer(() => this.#flush(), gatherWindow);
  }

  deliver(item: DeliveryItem): void {
    if (this.#isClosed) return;
    this.#items.push(item);
    this.#gatherer.wake();
  }

  send(topic: string, message: object): void {
    if (!this.#isClosed) this.#port.send(topic, message).catch(this.#onError);
  }

  ask<Reply>(topic: string, message: object): Promise<Reply> {
    return this.#port.sendAndReceive(topic, message) as Promise<Reply>;
  }

  /** The worker is gone; what waited is dropped, its pushes become unknown. */
  close(): void {
    this.#isClosed = true;
    this.#gatherer.cancel();
    this.#items = [];
  }

  #flush(): void {
    const batch = encodeDeliveries(this.#items);
    this.#items = [];
    this.send('deliver', { batch });
  }
}
