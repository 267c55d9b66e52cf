/**
 * What one connection still has to write: wire bytes in order, each with the business it belongs to and, for a
 * push that wants to know, a ticket. The queue exists only while something waits, so an idle connection pays
 * nothing for it.
 */
import { OutcomeCode as Code, type OutcomeCode } from './delivery-batch.js';

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
}

/** One write: the bytes, and who wants to know when the kernel took them. */
export interface OutboundChunk {
  readonly wire: Uint8Array;
  readonly tickets: readonly Ticket[];
}

const NO_TICKETS: readonly Ticket[] = [];

export class OutboundQueue {
  #entries: Entry[] = [];
  #head = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#head === this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.wire.length;
  }

  /** Takes whole entries up to about `maxBytes`, at least one. The queue is not empty. */
  take(maxBytes: number): OutboundChunk {
    const first = this.#entries[this.#head] as Entry;
    let end = this.#head + 1;
    let bytes = first.wire.length;
    for (; end < this.#entries.length; end++) {
      const next = bytes + (this.#entries[end] as Entry).wire.length;
      if (next > maxBytes) break;
      bytes = next;
    }
    const taken = this.#entries.slice(this.#head, end);
    this.#advance(end, bytes);
    if (taken.length === 1) return { wire: first.wire, tickets: first.ticket === 0 ? NO_TICKETS : [first.ticket] };
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
   * Removes the oldest entries of a business until at most `keepBytes` of it are left.
   *
   * @returns per group ('' for unicasts) how many pushes were removed
   */
  dropOldest(businessId: number, keepBytes: number, settle: SettleTicket): Map<string, number> {
    let excess = this.bytesOf(businessId) - keepBytes;
    const dropped = new Map<string, number>();
    this.#remove((entry) => {
      if (excess <= 0 || entry.businessId !== businessId) return false;
      excess -= entry.wire.length;
      dropped.set(entry.group, (dropped.get(entry.group) ?? 0) + entry.messages);
      if (entry.ticket !== 0) settle(entry.ticket, Code.slow);
      return true;
    });
    return dropped;
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

  #remove(isRemoved: (entry: Entry) => boolean): void {
    const kept: Entry[] = [];
    for (let i = this.#head; i < this.#entries.length; i++) {
      const entry = this.#entries[i] as Entry;
      if (isRemoved(entry)) this.#bytes -= entry.wire.length;
      else kept.push(entry);
    }
    this.#entries = kept;
    this.#head = 0;
  }

  #advance(head: number, bytes: number): void {
    this.#bytes -= bytes;
    this.#head = head;
    if (head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (head * 2 >= this.#entries.length) {
      // What was taken is let go of, at a cost that its own taking has paid for.
      this.#entries = this.#entries.slice(head);
      this.#head = 0;
    }
  }
}
