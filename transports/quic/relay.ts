/**
 * Hands datagrams from one QUIC worker to another. The kernel chooses a worker by the client's address; a client whose
 * address changed keeps its connection id, which names the worker that knows it. Threads of one process find each other by
 * the name of a channel, so nothing above the connection layer takes part.
 */
import { BroadcastChannel } from 'node:worker_threads';

export interface RelayedDatagram {
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
}

export class Relay {
  readonly #prefix: string;
  readonly #workers: number;
  readonly #inbox: BroadcastChannel;
  readonly #outboxes = new Map<number, BroadcastChannel>();

  /**
   * @param endpoint what only the workers of one listener share
   * @param onDatagram a datagram that came to another worker
   */
  constructor(endpoint: string, worker: number, workers: number, onDatagram: (datagram: RelayedDatagram) => void) {
    this.#prefix = `trunkline-quic ${endpoint} `;
    this.#workers = workers;
    this.#inbox = new BroadcastChannel(`${this.#prefix}${worker}`);
    this.#inbox.onmessage = ({ data }: { data: unknown }) => onDatagram(data as RelayedDatagram);
    this.#inbox.unref();
  }

  /** Whether there is such a worker. A datagram for one that is down is lost, as datagrams may be. */
  reaches(worker: number): boolean {
    return worker < this.#workers;
  }

  send(worker: number, datagram: RelayedDatagram): void {
    let outbox = this.#outboxes.get(worker);
    if (outbox === undefined) {
      outbox = new BroadcastChannel(`${this.#prefix}${worker}`);
      outbox.unref();
      this.#outboxes.set(worker, outbox);
    }
    outbox.postMessage(datagram);
  }

  close(): void {
    this.#inbox.close();
    for (const outbox of this.#outboxes.values()) outbox.close();
    this.#outboxes.clear();
  }
}
