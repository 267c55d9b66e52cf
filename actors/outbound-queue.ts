/**
 * What one connection still has to write: wire bytes in order, each with the business it belongs to and, for a
 * push that wants to know, a ticket. The queue exists only while something waits, so an idle connection pays
 * nothing for it. Entries of high priority stand in front, in their own order:
 *
 *   [ taken | high high | normal normal normal ]
 *             ^ head      ^ head + high
 */

import { DeliveryFlag, type DeliveryOptions } from './delivery-options.js';
import { OutcomeCode as Code, type OutcomeCode } from './outcome-batch.js';

/** Names one target of one push: push id * 2^16 + target index; 0 for none. */
export type Ticket = number;
export const NO_TICKET: Ticket = 0;

const INDEXES = 0x1_0000;

export function ticketOf(pushId: number, index: number): Ticket {
  return pushId * INDEXES + index;
}

export function pushIdOf(ticket: Ticket): number {
  return Math.floor(ticket / INDEXES);
}

export function indexOf(ticket: Ticket): number {
  return ticket % INDEXES;
}

export type SettleTicket = (ticket: Ticket, code: OutcomeCode) => void;

interface Entry {
  readonly wire: Uint8Array;
  /** 0 for the session's own frames. */
  readonly businessId: number;
  readonly group: string;
  /** Pushes in it: several in the shared bytes of a group's round. */
  readonly messages: number;
  readonly ticket: Ticket;
  readonly sinceMs: number;
  readonly options: DeliveryOptions;
}

/** One write: the bytes, and who wants to know when the kernel took them. */
export interface OutboundChunk {
  readonly wire: Uint8Array;
  readonly tickets: readonly Ticket[];
}

/** Told of each entry whose time passed. */
export type OnRemoved = (businessId: number, group: string, messages: number) => void;

const NO_TICKETS: readonly Ticket[] = [];

export class OutboundQueue {
  #entries: Entry[] = [];
  #head = 0;
  #bytes = 0;
  /** Entries of high priority, from `#head` on. */
  #high = 0;
  #droppable = 0;
  #own = 0;
  /** No entry's time is over before this. */
  #nextDueMs = Number.POSITIVE_INFINITY;

  get isEmpty(): boolean {
    return this.#head === this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Frames of the session itself. */
  get ownFrames(): number {
    return this.#own;
  }

  get hasDroppable(): boolean {
    return this.#droppable > 0;
  }

  /** Whether an entry has a time to live. */
  get hasDue(): boolean {
    return this.#nextDueMs !== Number.POSITIVE_INFINITY;
  }

  push(entry: Entry): void {
    const { flags, dueMs } = entry.options;
    if ((flags & DeliveryFlag.high) === 0) this.#entries.push(entry);
    else this.#insertHigh(entry);
    this.#bytes += entry.wire.length;
    if (entry.businessId === 0) this.#own += 1;
    if ((flags & DeliveryFlag.droppable) !== 0) this.#droppable += 1;
    if (dueMs !== 0 && dueMs < this.#nextDueMs) this.#nextDueMs = dueMs;
  }

  /** Takes whole entries up to about `maxBytes`, at least one. The queue is not empty. */
  take(maxBytes: number): OutboundChunk {
    const first = this.#entries[this.#head] as Entry;
    let end = this.#head + 1;
    let bytes = first.wire.length;
    let own = first.businessId === 0 ? 1 : 0;
    for (; end < this.#entries.length; end++) {
      const { businessId, wire } = this.#entries[end] as Entry;
      if (bytes + wire.length > maxBytes) break;
      bytes += wire.length;
      if (businessId === 0) own += 1;
    }
    this.#own -= own;
    if (this.#droppable > 0) this.#forgetDroppable(end);
    if (end === this.#head + 1) {
      this.#advance(end, bytes);
      return { wire: first.wire, tickets: first.ticket === 0 ? NO_TICKETS : [first.ticket] };
    }
    const taken = this.#entries.slice(this.#head, end);
    this.#advance(end, bytes);
    return {
      wire: Buffer.concat(
        taken.map((entry) => entry.wire),
        bytes,
      ),
      tickets: taken.filter((entry) => entry.ticket !== 0).map((entry) => entry.ticket),
    };
  }

  /** Unsent bytes of one business; walks the queue, so it is asked only when the whole is already large. */
  bytesOf(businessId: number): number {
    let bytes = 0;
    for (let i = this.#head; i < this.#entries.length; i++) {
      const entry = this.#entries[i] as Entry;
      if (entry.businessId === businessId) bytes += entry.wire.length;
    }
    return bytes;
  }

  /**
   * Removes the oldest entries of a business until at most `keepBytes` of it are left, those of high priority last.
   *
   * @returns per group ('' for unicasts) how many pushes were removed
   */
  dropOldest(businessId: number, keepBytes: number, settle: SettleTicket): Map<string, number> {
    return this.#drop(businessId, keepBytes, 0, settle);
  }

  /** The same of droppable entries alone. */
  dropDroppable(businessId: number, keepBytes: number, settle: SettleTicket): Map<string, number> {
    return this.#drop(businessId, keepBytes, DeliveryFlag.droppable, settle);
  }

  /** Removes entries whose time to live is over. */
  expireDue(nowMs: number, settle: SettleTicket, onRemoved: OnRemoved): void {
    if (nowMs < this.#nextDueMs) return;
    this.#remove((entry) => {
      const { dueMs } = entry.options;
      if (dueMs === 0 || nowMs < dueMs) return false;
      if (entry.ticket !== 0) settle(entry.ticket, Code.expired);
      onRemoved(entry.businessId, entry.group, entry.messages);
      return true;
    });
  }

  /** Removes ticketed entries that have waited since before `beforeMs`. @returns how many tickets still wait */
  expire(beforeMs: number, settle: SettleTicket): number {
    let waiting = 0;
    this.#remove((entry) => {
      if (entry.ticket === 0) return false;
      if (entry.sinceMs > beforeMs) {
        waiting += 1;
        return false;
      }
      settle(entry.ticket, Code.slow);
      return true;
    });
    return waiting;
  }

  /** Settles every ticket; the queue is not used again. */
  abandon(code: OutcomeCode, settle: SettleTicket): void {
    for (let i = this.#head; i < this.#entries.length; i++) {
      const { ticket } = this.#entries[i] as Entry;
      if (ticket !== 0) settle(ticket, code);
    }
    this.#advance(this.#entries.length, this.#bytes);
  }

  /** In front of what is not urgent, but never of its own group: members rely on growing offsets. */
  #insertHigh(entry: Entry): void {
    const front = this.#head + this.#high;
    if (entry.group !== '') {
      for (let i = this.#entries.length - 1; i >= front; i--) {
        const other = this.#entries[i] as Entry;
        if (other.group !== entry.group || other.businessId !== entry.businessId) continue;
        this.#entries.splice(i + 1, 0, entry);
        return;
      }
    }
    this.#entries.splice(front, 0, entry);
    this.#high += 1;
  }

  /** @param flag an entry must have; 0 for any */
  #drop(businessId: number, keepBytes: number, flag: number, settle: SettleTicket): Map<string, number> {
    let excess = this.bytesOf(businessId) - keepBytes;
    const dropped = new Map<string, number>();
    const drop = (entry: Entry): boolean => {
      if (excess <= 0 || entry.businessId !== businessId || (entry.options.flags & flag) !== flag) return false;
      excess -= entry.wire.length;
      dropped.set(entry.group, (dropped.get(entry.group) ?? 0) + entry.messages);
      if (entry.ticket !== 0) settle(entry.ticket, Code.slow);
      return true;
    };
    this.#remove(drop, this.#high);
    if (excess > 0 && this.#high > 0) this.#remove(drop);
    return dropped;
  }

  /** @param spared how many at the front are not asked about */
  #remove(isRemoved: (entry: Entry) => boolean, spared = 0): void {
    const kept: Entry[] = [];
    const { length } = this.#entries;
    const high = this.#head + this.#high;
    let keptHigh = 0;
    this.#nextDueMs = Number.POSITIVE_INFINITY;
    this.#droppable = 0;
    for (let i = this.#head; i < length; i++) {
      const entry = this.#entries[i] as Entry;
      if (i >= this.#head + spared && isRemoved(entry)) {
        this.#bytes -= entry.wire.length;
        continue;
      }
      kept.push(entry);
      if (i < high) keptHigh += 1;
      const { flags, dueMs } = entry.options;
      if ((flags & DeliveryFlag.droppable) !== 0) this.#droppable += 1;
      if (dueMs !== 0 && dueMs < this.#nextDueMs) this.#nextDueMs = dueMs;
    }
    this.#entries = kept;
    this.#head = 0;
    this.#high = keptHigh;
  }

  #forgetDroppable(end: number): void {
    for (let i = this.#head; i < end; i++) {
      if (((this.#entries[i] as Entry).options.flags & DeliveryFlag.droppable) !== 0) this.#droppable -= 1;
    }
  }

  #advance(head: number, bytes: number): void {
    this.#bytes -= bytes;
    this.#high = Math.max(this.#high - (head - this.#head), 0);
    this.#head = head;
    if (head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
      this.#droppable = 0;
      this.#nextDueMs = Number.POSITIVE_INFINITY;
    } else if (head * 2 >= this.#entries.length) {
      // What was taken is let go of, at a cost that its own taking has paid for.
      this.#entries = this.#entries.slice(head);
      this.#head = 0;
    }
  }
}
