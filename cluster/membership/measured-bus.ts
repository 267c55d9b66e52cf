/** A bus that counts what passes, for the metrics. */
import { type Bus, type BusHandlers, EngineUnavailableError, type PublishedMulticast } from '../../actors/index.js';

/**
 * - `taken`    a node took it
 * - `nobody`   nobody was there
 * - `unknown`  it may have arrived
 * - `unsent`   it never left
 * - `received` came in
 */
export type BusResult = 'taken' | 'nobody' | 'unknown' | 'unsent' | 'received';
export type BusKind = 'node' | 'group';

export interface BusCount {
  readonly kind: BusKind;
  readonly result: BusResult;
  readonly messages: number;
  readonly bytes: number;
}

interface Count {
  messages: number;
  bytes: number;
}

export class MeasuredBus implements Bus {
  readonly #bus: Bus;
  readonly #counts = new Map<string, Count>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  get counts(): readonly BusCount[] {
    return [...this.#counts].map(([key, count]) => {
      const [kind, result] = key.split(' ') as [BusKind, BusResult];
      return { kind, result, ...count };
    });
  }

  open(incarnation: string, handlers: BusHandlers): Promise<void> {
    return this.#bus.open(incarnation, {
      onMessage: (bytes) => {
        this.#add('node', 'received', bytes.length);
        handlers.onMessage(bytes);
      },
      onMulticast: (multicast) => {
        this.#add('group', 'received', multicast.body.length);
        handlers.onMulticast(multicast);
      },
    });
  }

  async send(incarnation: string, bytes: Uint8Array): Promise<boolean> {
    const isTaken = await this.#measure('node', bytes, this.#bus.send(incarnation, bytes));
    this.#add('node', isTaken ? 'taken' : 'nobody', bytes.length);
    return isTaken;
  }

  listen(businessId: number, group: string): Promise<void> {
    return this.#bus.listen(businessId, group);
  }

  unlisten(businessId: number, group: string): Promise<void> {
    return this.#bus.unlisten(businessId, group);
  }

  async multicast(businessId: number, group: string, body: Uint8Array): Promise<PublishedMulticast | undefined> {
    const published = await this.#measure('group', body, this.#bus.multicast(businessId, group, body));
    if (published !== undefined) this.#add('group', published.receivers > 0 ? 'taken' : 'nobody', body.length);
    return published;
  }

  async #measure<T>(kind: BusKind, bytes: Uint8Array, sent: Promise<T>): Promise<T> {
    try {
      return await sent;
    } catch (error) {
      const mayHaveArrived = error instanceof EngineUnavailableError && error.mayHaveArrived;
      this.#add(kind, mayHaveArrived ? 'unknown' : 'unsent', bytes.length);
      throw error;
    }
  }

  #add(kind: BusKind, result: BusResult, bytes: number): void {
    const key = `${kind} ${result}`;
    const count = this.#counts.get(key) ?? { messages: 0, bytes: 0 };
    count.messages += 1;
    count.bytes += bytes;
    this.#counts.set(key, count);
  }
}
