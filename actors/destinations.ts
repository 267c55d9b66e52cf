/**
 * Where a connection id leads: to an access worker of this node, while the run that the serial number belongs to is
 * attached, or to one of another node, while that may be reached. Each destination has a number, under which it
 * answers; a restarted worker has another one, so what its former run still owes is not mistaken for its own.
 */
import { type ConnectionId, generationOf } from './connection-id.js';
import type { DeliveryItem } from './delivery-batch.js';
import type { Peers } from './engine-ports.js';
import type { PeerOutboxes } from './peer-outboxes.js';
import type { WorkerOutbox } from './worker-outbox.js';

export interface Destination {
  readonly number: number;
  /** Index of the access worker on its node. */
  readonly worker: number;
  readonly isLocal: boolean;
  /** Gathered with what else goes there in this turn. */
  deliver(item: DeliveryItem): void;
  send(topic: string, message: object): void;
  ask<Reply>(topic: string, message: object): Promise<Reply>;
}

export class Destinations {
  readonly #incarnation: string;
  readonly #peers: Pick<Peers, 'has'>;
  readonly #outboxes: PeerOutboxes;
  readonly #workers = new Map<number, WorkerOutbox>();

  constructor(incarnation: string, peers: Pick<Peers, 'has'>, outboxes: PeerOutboxes) {
    this.#incarnation = incarnation;
    this.#peers = peers;
    this.#outboxes = outboxes;
  }

  attach(outbox: WorkerOutbox): void {
    this.#workers.set(outbox.worker, outbox);
  }

  /** @returns what was attached */
  detach(worker: number): WorkerOutbox | undefined {
    const outbox = this.#workers.get(worker);
    this.#workers.delete(worker);
    return outbox;
  }

  /** An access worker of this node, while it is attached. */
  local(worker: number): WorkerOutbox | undefined {
    return this.#workers.get(worker);
  }

  locals(): Iterable<WorkerOutbox> {
    return this.#workers.values();
  }

  /** @returns `undefined` when the connection is surely gone, or cannot be reached */
  of(connection: ConnectionId): Destination | undefined {
    const { incarnation, worker, serial } = connection;
    if (incarnation === this.#incarnation) {
      const local = this.#workers.get(worker);
      return local?.generation === generationOf(serial) ? local : undefined;
    }
    return this.#peers.has(connection) ? this.#outboxes.of(incarnation).worker(worker) : undefined;
  }
}
