/** An access worker of another node, as a destination. */
import type { DeliveryItem } from './delivery-batch.js';
import type { Destination } from './destinations.js';
import type { PeerOutbox } from './peer-outbox.js';

export class RemoteWorker implements Destination {
  readonly number: number;
  readonly worker: number;
  readonly isLocal = false;
  readonly #outbox: PeerOutbox;

  constructor(outbox: PeerOutbox, worker: number, number: number) {
    this.#outbox = outbox;
    this.worker = worker;
    this.number = number;
  }

  deliver(item: DeliveryItem): void {
    this.#outbox.deliver(this, item);
  }

  send(topic: string, message: object): void {
    this.#outbox.tell({ worker: this.worker, topic, message });
  }

  ask<Reply>(topic: string, message: object): Promise<Reply> {
    return this.#outbox.ask(this.worker, topic, message);
  }
}
