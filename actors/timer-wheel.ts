/**
 * One timer for all connections of a worker: an interval each would be a hundred thousand timers. Items sit in
 * the bucket of the tick they are due at and know their place, so that adding and removing cost the same
 * however many there are.
 *
 *   now ─┐
 *   [ 0 ][ 1 ][ 2 ] ... [ 511 ]      a delay beyond the last bucket waits there and is put in again
 */
const TICK_MS = 250;
const BUCKETS = 512;

/** Buckets of items outside the wheel, and of those whose turn comes in the tick under way. */
const OUTSIDE = -1;
const DUE = -2;

/** An item's place in the wheel; the wheel alone writes it. */
export interface WheelPlace {
  bucket: number;
  index: number;
}

export interface WheelItem {
  readonly place: WheelPlace;
  /** @returns milliseconds until it wants to be called again; 0 or less takes it out */
  onDue(nowMs: number): number;
}

export function outsideWheel(): WheelPlace {
  return { bucket: OUTSIDE, index: -1 };
}

export class TimerWheel {
  readonly #buckets: WheelItem[][] = Array.from({ length: BUCKETS }, () => []);
  #current = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Starts ticking. @param now milliseconds of a clock that does not jump */
  start(now: () => number): void {
    this.#timer = setInterval(() => this.tick(now()), TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Puts `item` in, or moves it; it is called within a tick of `delayMs`, before or after, and a delay longer than
   * the wheel is called when the wheel comes round. An item to which that matters looks at the clock.
   */
  schedule(item: WheelItem, delayMs: number): void {
    this.remove(item);
    const ticks = Math.min(Math.max(Math.ceil(delayMs / TICK_MS), 1), BUCKETS - 1);
    const bucket = (this.#current + ticks) % BUCKETS;
    item.place.bucket = bucket;
    item.place.index = (this.#buckets[bucket] as WheelItem[]).push(item) - 1;
  }

  remove(item: WheelItem): void {
    const { bucket, index } = item.place;
    item.place.bucket = OUTSIDE;
    if (bucket < 0) return;
    const items = this.#buckets[bucket] as WheelItem[];
    const last = items.pop() as WheelItem;
    if (last !== item) {
      items[index] = last;
      last.place.index = index;
    }
  }

  /** One step of the wheel; called by its timer, and by tests. */
  tick(nowMs: number): void {
    this.#current = (this.#current + 1) % BUCKETS;
    const due = this.#buckets[this.#current] as WheelItem[];
    this.#buckets[this.#current] = [];
    for (const item of due) item.place.bucket = DUE;
    for (const item of due) {
      // Removed or moved by one that was called before it.
      if (item.place.bucket !== DUE) continue;
      item.place.bucket = OUTSIDE;
      const delayMs = item.onDue(nowMs);
      if (delayMs > 0) this.schedule(item, delayMs);
    }
  }
}
