/**
 * What this node has for one other node: everything of a turn leaves in one message, whichever worker it is for. One
 * message at a time, so that the order holds and a slow engine makes messages longer instead of more; what waits is
 * bounded. A message that nobody took is tried again for a moment, since a subscription that moves misses a few.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { DeliveryItem } from './delivery-batch.js';
import type { Bus, Peers } from './engine-ports.js';
import { EngineUnavailableError } from './errors.js';
import { Gatherer, type GatherWindow } from './gatherer.js';
import { OutcomeCode } from './outcome-batch.js';
import { PeerAsks } from './peer-asks.js';
import type { Answer, MulticastAnswer, Tell } from './peer-batch.js';
import { bytesOf, PeerLoad } from './peer-load.js';
import { RemoteWorker } from './remote-worker.js';

/** A message is closed at about this size; what follows goes into the next. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** What may wait for one node; more never leaves. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** A message that nobody took is offered again after these. */
const RETRY_MS: readonly number[] = [50, 150];
/** Tells may arrive twice, so one that may be lost is sent again, this often and after this long. */
const TELL_ATTEMPTS = 5;
const TELL_RETRY_MS = 1_000;
const MAX_TELLS_AGAIN = 10_000;

export interface PeerOutboxPorts {
  readonly origin: string;
  readonly bus: Pick<Bus, 'send'>;
  readonly peers: Pick<Peers, 'standing' | 'unreachable'>;
  readonly gatherWindow: GatherWindow;
  readonly epochMs: () => number;
  readonly newNumber: () => number;
  readonly onError: (error: unknown) => void;
  /** A delivery that did not arrive, or may not have. */
  onLost(destination: number, item: DeliveryItem, code: OutcomeCode): void;
}

export class PeerOutbox {
  readonly incarnation: string;
  readonly #ports: PeerOutboxPorts;
  readonly #workers = new Map<number, RemoteWorker>();
  readonly #gatherer: Gatherer;
  readonly #asks = new PeerAsks();
  readonly #attempts = new WeakMap<Tell, number>();
  #loads: PeerLoad[] = [];
  #sendingBytes = 0;
  #isSending = false;
  #isClosed = false;
  #again: Tell[] = [];
  #againTimer: NodeJS.Timeout | undefined;

  constructor(incarnation: string, ports: PeerOutboxPorts) {
    this.incarnation = incarnation;
    this.#ports = ports;
    this.#gatherer = new Gatherer(() => void this.#drain(), ports.gatherWindow);
  }

  /** One of its access workers. */
  worker(worker: number): RemoteWorker {
    let remote = this.#workers.get(worker);
    if (remote === undefined) {
      remote = new RemoteWorker(this, worker, this.#ports.newNumber());
      this.#workers.set(worker, remote);
    }
    return remote;
  }

  workers(): Iterable<RemoteWorker> {
    return this.#workers.values();
  }

  /** The number under which one of its workers answers, if it was ever asked. */
  numberOf(worker: number): number | undefined {
    return this.#workers.get(worker)?.number;
  }

  deliver(to: RemoteWorker, item: DeliveryItem): void {
    const load = this.#room(bytesOf(item));
    if (load === undefined) return this.#ports.onLost(to.number, item, OutcomeCode.unreachable);
    load.deliver(to.worker, item);
  }

  tell(tell: Tell): void {
    this.#room(0)?.tell(tell);
  }

  ask<Reply>(worker: number, topic: string, message: object): Promise<Reply> {
    const load = this.#room(0);
    if (load === undefined) return Promise.reject(new Error('too much waits for the node'));
    const { id, reply } = this.#asks.begin<Reply>();
    load.ask({ worker, id, topic, message });
    return reply;
  }

  answered({ id, answer }: Answer): void {
    this.#asks.settle(id, answer);
  }

  outcome(worker: number, pushId: number, index: number, code: OutcomeCode): void {
    this.#room(0)?.outcome(worker, pushId, index, code);
  }

  reply(worker: number, frame: Uint8Array): void {
    this.#room(frame.length)?.reply(worker, frame);
  }

  answer(answer: Answer): void {
    this.#room(0)?.answer(answer);
  }

  multicast(answer: MulticastAnswer): void {
    this.#room(0)?.multicast(answer);
  }

  /** The node is gone. */
  close(): void {
    this.#isClosed = true;
    this.#gatherer.cancel();
    clearTimeout(this.#againTimer);
    const loads = this.#loads;
    this.#loads = [];
    for (const load of loads) this.#lose(load, OutcomeCode.offline);
    this.#asks.failAll();
  }

  /** Where the next thing goes; `undefined` when too much waits already. */
  #room(bytes: number): PeerLoad | undefined {
    if (this.#isClosed) return undefined;
    let waiting = this.#sendingBytes;
    for (const load of this.#loads) waiting += load.bytes;
    if (waiting + bytes > MAX_WAITING_BYTES) return undefined;
    if (!this.#isSending) this.#gatherer.wake();
    const last = this.#loads.at(-1);
    if (last !== undefined && last.bytes + bytes <= MAX_MESSAGE_BYTES) return last;
    const load = new PeerLoad();
    this.#loads.push(load);
    return load;
  }

  async #drain(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let load = this.#loads.shift(); load !== undefined; load = this.#loads.shift()) {
      this.#sendingBytes = load.bytes;
      await this.#send(load);
    }
    this.#sendingBytes = 0;
    this.#isSending = false;
  }

  async #send(load: PeerLoad): Promise<void> {
    const { origin, epochMs, peers, onError } = this.#ports;
    try {
      if (await this.#offer(load.encode(origin, epochMs()))) return;
      peers.unreachable(this.incarnation);
      this.#lose(load, OutcomeCode.offline);
    } catch (error) {
      onError(error);
      const isHere = error instanceof EngineUnavailableError && !error.mayHaveArrived;
      this.#lose(load, isHere ? OutcomeCode.unreachable : OutcomeCode.unknown);
    }
  }

  async #offer(bytes: Uint8Array): Promise<boolean> {
    const { bus, peers } = this.#ports;
    if (await bus.send(this.incarnation, bytes)) return true;
    for (const waitMs of RETRY_MS) {
      if (this.#isClosed || peers.standing(this.incarnation) === 'gone') return false;
      await delay(waitMs, undefined, { ref: false });
      if (await bus.send(this.incarnation, bytes)) return true;
    }
    return false;
  }

  #lose(load: PeerLoad, code: OutcomeCode): void {
    for (const [worker, items] of load.deliveries) {
      const { number } = this.worker(worker);
      for (const item of items) this.#ports.onLost(number, item, code);
    }
    for (const { id } of load.asks) this.#asks.fail(id);
    if (!this.#isClosed) for (const tell of load.tells) this.#tellAgain(tell);
  }

  #tellAgain(tell: Tell): void {
    const attempts = (this.#attempts.get(tell) ?? 1) + 1;
    if (attempts > TELL_ATTEMPTS || this.#again.length >= MAX_TELLS_AGAIN) return;
    this.#attempts.set(tell, attempts);
    this.#again.push(tell);
    this.#againTimer ??= setTimeout(() => {
      this.#againTimer = undefined;
      const tells = this.#again;
      this.#again = [];
      if (this.#ports.peers.standing(this.incarnation) !== 'gone') for (const each of tells) this.tell(each);
    }, TELL_RETRY_MS).unref();
  }
}
