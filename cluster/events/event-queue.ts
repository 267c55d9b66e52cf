/**
 * Events of one business that wait to be sent: bounded, the oldest dropped first, and of each device only one on its
 * way at a time, so that the back-end learns of them in the order of their fence numbers.
 *
 * ```
 * arrivals   every waiting event, oldest first: whom a full queue drops, and who is too old
 * lines      per device its waiting events by fence, and whether one is on its way
 * ready      lines that have a waiting event and none on its way: who is next
 * ```
 */
import type { ConnectionEvent } from '../../upstream/index.js';
import { Chain, type ChainLink } from './chain.js';

export interface EventQueueOptions {
  /** Waiting events of all devices. */
  readonly maxWaiting: number;
  /** Waiting events of one device, so that one that flaps does not push out the others'. */
  readonly maxPerDevice: number;
}

export interface QueuedEvent extends ChainLink<QueuedEvent> {
  readonly event: ConnectionEvent;
  readonly line: DeviceLine;
  attempts: number;
}

interface DeviceLine extends ChainLink<DeviceLine> {
  readonly key: string;
  readonly waiting: QueuedEvent[];
  isOnItsWay: boolean;
}

export class EventQueue {
  readonly #options: EventQueueOptions;
  readonly #arrivals = new Chain<QueuedEvent>();
  readonly #ready = new Chain<DeviceLine>();
  readonly #lines = new Map<string, DeviceLine>();

  constructor(options: EventQueueOptions) {
    this.#options = options;
  }

  /** Events that wait; those on their way are not among them. */
  get waiting(): number {
    return this.#arrivals.size;
  }

  /** Whether `take` would give one. */
  get hasReady(): boolean {
    return this.#ready.size > 0;
  }

  /** @returns what had to go to make room, if anything */
  add(event: ConnectionEvent): ConnectionEvent | undefined {
    const line = this.#lineOf(`${event.app}\0${event.deviceId}`);
    const entry: QueuedEvent = { event, line, attempts: 0, previous: undefined, next: undefined };
    line.waiting.splice(placeOf(line.waiting, event), 0, entry);
    this.#arrivals.append(entry);
    this.#becomeReady(line);
    if (line.waiting.length > this.#options.maxPerDevice) return this.#drop(line.waiting[0]);
    return this.#arrivals.size > this.#options.maxWaiting ? this.#drop(this.#arrivals.first) : undefined;
  }

  /** The next event, on its way from now on until `done` or `putBack`. */
  take(): QueuedEvent | undefined {
    const line = this.#ready.first;
    const entry = line?.waiting.shift();
    if (line === undefined || entry === undefined) return undefined;
    this.#ready.remove(line);
    this.#arrivals.remove(entry);
    line.isOnItsWay = true;
    return entry;
  }

  /** It is settled: the device's next one may go. */
  done({ line }: QueuedEvent): void {
    line.isOnItsWay = false;
    if (line.waiting.length === 0) this.#lines.delete(line.key);
    else this.#becomeReady(line);
  }

  /** It shall be tried again, before everything else. */
  putBack(entry: QueuedEvent): void {
    const { line } = entry;
    line.isOnItsWay = false;
    line.waiting.unshift(entry);
    this.#arrivals.prepend(entry);
    this.#ready.prepend(line);
  }

  /** Takes out one event that is older than `atMs`. */
  dropOlderThan(atMs: number): ConnectionEvent | undefined {
    const oldest = this.#arrivals.first;
    return oldest !== undefined && oldest.event.atMs < atMs ? this.#drop(oldest) : undefined;
  }

  #lineOf(key: string): DeviceLine {
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { key, waiting: [], isOnItsWay: false, previous: undefined, next: undefined };
      this.#lines.set(key, line);
    }
    return line;
  }

  #becomeReady(line: DeviceLine): void {
    const isReadyAlready = line.previous !== undefined || line.next !== undefined || this.#ready.first === line;
    if (!line.isOnItsWay && !isReadyAlready) this.#ready.append(line);
  }

  #drop(entry: QueuedEvent | undefined): ConnectionEvent | undefined {
    if (entry === undefined) return undefined;
    const { line, event } = entry;
    this.#arrivals.remove(entry);
    line.waiting.splice(line.waiting.indexOf(entry), 1);
    if (line.waiting.length === 0 && !line.isOnItsWay) {
      this.#ready.remove(line);
      this.#lines.delete(line.key);
    }
    return event;
  }
}

/** Behind those of an older login; of one login, `connected` comes before `disconnected`. */
function placeOf(waiting: readonly QueuedEvent[], event: ConnectionEvent): number {
  let place = waiting.length;
  while (place > 0 && isBefore(event, (waiting[place - 1] as QueuedEvent).event)) place -= 1;
  return place;
}

function isBefore(a: ConnectionEvent, b: ConnectionEvent): boolean {
  if (a.fence !== b.fence) return a.fence < b.fence;
  return a.type === 'connected' && b.type === 'disconnected';
}
