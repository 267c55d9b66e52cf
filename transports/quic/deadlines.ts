/**
 * Timeouts of all connections of a listener on one timer: a wheel of slots, because quiche asks for another moment after
 * every packet, and a node timer for each connection would be made and thrown away as often. An entry moves only when its
 * moment comes nearer; one whose moment went away is put back when its slot comes up.
 */

const SLOT_MS = 5;
/** 20 s of slots; what lies beyond waits in the last one and is put back there. */
const SLOTS = 4_096;

export interface Deadline {
  /** When it is due, or `Infinity`. */
  dueMs: number;
  /** The wheel's own: number of the slot it waits in, or -1. */
  slot: number;
}

export class Deadlines<T extends Deadline> {
  readonly #onDue: (entry: T) => void;
  readonly #nowMs: () => number;
  readonly #slots: (Set<T> | undefined)[] = new Array(SLOTS).fill(undefined);
  /** The next slot that was not looked at. Slots count up without end; the array holds them by remainder. */
  #next: number;
  #wakeSlot = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #size = 0;

  /** @param onDue called with entries that are out of the wheel; `set` puts them back */
  constructor(onDue: (entry: T) => void, nowMs: () => number) {
    this.#onDue = onDue;
    this.#nowMs = nowMs;
    this.#next = slotOf(nowMs());
  }

  /** `entry.dueMs` has a new value. */
  set(entry: T): void {
    if (entry.dueMs === Number.POSITIVE_INFINITY) return;
    const wanted = Math.max(Math.ceil(entry.dueMs / SLOT_MS), this.#next);
    const slot = Math.min(wanted, this.#next + SLOTS - 1);
    if (entry.slot >= 0 && entry.slot <= slot) return;
    this.#take(entry);
    entry.slot = slot;
    const at = slot % SLOTS;
    let entries = this.#slots[at];
    if (entries === undefined) {
      entries = new Set();
      this.#slots[at] = entries;
    }
    entries.add(entry);
    this.#size += 1;
    if (slot < this.#wakeSlot) this.#wake(slot);
  }

  delete(entry: T): void {
    this.#take(entry);
    entry.dueMs = Number.POSITIVE_INFINITY;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#wakeSlot = Number.POSITIVE_INFINITY;
  }

  #take(entry: T): void {
    if (entry.slot < 0) return;
    const at = entry.slot % SLOTS;
    const entries = this.#slots[at];
    entries?.delete(entry);
    if (entries?.size === 0) this.#slots[at] = undefined;
    entry.slot = -1;
    this.#size -= 1;
  }

  #wake(slot: number): void {
    clearTimeout(this.#timer);
    this.#wakeSlot = slot;
    this.#timer = setTimeout(() => this.#turn(), Math.max(slot * SLOT_MS - this.#nowMs(), 0)).unref();
  }

  #turn(): void {
    const nowMs = this.#nowMs();
    const until = Math.min(slotOf(nowMs), this.#next + SLOTS - 1);
    this.#wakeSlot = Number.POSITIVE_INFINITY;
    const due: T[] = [];
    for (; this.#next <= until && this.#size > 0; this.#next++) {
      for (const entry of [...(this.#slots[this.#next % SLOTS] ?? [])]) {
        this.#take(entry);
        due.push(entry);
      }
    }
    this.#next = until + 1;
    for (const entry of due) {
      if (entry.dueMs <= nowMs) this.#onDue(entry);
      else this.set(entry);
    }
    this.#wakeNext();
  }

  /** What was put in meanwhile has set the timer already, perhaps not for the earliest. */
  #wakeNext(): void {
    if (this.#size === 0) return;
    for (let slot = this.#next; slot < this.#next + SLOTS; slot++) {
      if (this.#slots[slot % SLOTS] === undefined) continue;
      if (slot < this.#wakeSlot) this.#wake(slot);
      return;
    }
  }
}

function slotOf(ms: number): number {
  return Math.floor(ms / SLOT_MS);
}
