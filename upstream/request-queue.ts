/**
 * A bounded first-in-first-out queue in front of a fixed number of slots. Entries are links of a doubly linked list
 * themselves, so one that gives up while waiting leaves in constant time and its place is free at once.
 *
 * ```
 * enter ──► slot free? ── yes ──► start() ── took it ──► running ──► release() ──► start() of the oldest
 *              │ no                  └ declined: the slot stays free
 *              └──► waiting (at most maxQueue) ──► leave()
 * ```
 */

/** What waits and runs; the links belong to the queue. */
export interface QueueEntry {
  /** A slot is yours. @returns false to decline it: the slot goes to the next */
  start(): boolean;
  previous: QueueEntry | undefined;
  next: QueueEntry | undefined;
}

export interface RequestQueueOptions {
  /** Slots; from 1. */
  readonly concurrency: number;
  /** Entries that may wait. */
  readonly maxQueue: number;
}

export class RequestQueue {
  readonly #options: RequestQueueOptions;
  #running = 0;
  #waiting = 0;
  #oldest: QueueEntry | undefined;
  #newest: QueueEntry | undefined;
  /** Keeps a run of entries that end at once a loop instead of a recursion as deep as the queue. */
  #isStarting = false;

  constructor(options: RequestQueueOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Starts `entry` or lets it wait. @returns false when there is no room for it */
  enter(entry: QueueEntry): boolean {
    if (this.#running < this.#options.concurrency) {
      this.#start(entry);
      return true;
    }
    if (this.#waiting >= this.#options.maxQueue) return false;
    entry.previous = this.#newest;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.next = entry;
    this.#newest = entry;
    this.#waiting += 1;
    return true;
  }

  /** `entry` waits no longer. Does nothing when it is not waiting. */
  leave(entry: QueueEntry): void {
    const { previous, next } = entry;
    if (previous === undefined && this.#oldest !== entry) return;
    if (previous === undefined) this.#oldest = next;
    else previous.next = next;
    if (next === undefined) this.#newest = previous;
    else next.previous = previous;
    entry.previous = undefined;
    entry.next = undefined;
    this.#waiting -= 1;
  }

  /** A started entry is done with its slot; may be called from within `start`. */
  release(): void {
    this.#running -= 1;
    if (this.#isStarting) return;
    this.#isStarting = true;
    while (this.#oldest !== undefined && this.#running < this.#options.concurrency) {
      const entry = this.#oldest;
      this.leave(entry);
      this.#start(entry);
    }
    this.#isStarting = false;
  }

  #start(entry: QueueEntry): void {
    // Taken before start(): an entry that starts may end, and release, before start() returns.
    this.#running += 1;
    if (!entry.start()) this.#running -= 1;
  }
}
