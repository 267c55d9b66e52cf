/**
 * The writing half of a session. Frames of one turn leave in one write; while the kernel has not taken the last
 * write, everything waits in our own queue, where it can still be dropped, counted and reported. The members of
 * a group mostly have nothing else waiting: their shared bytes go straight to the transport.
 */
import type { Transport } from '../transports/index.js';
import type { Business } from './business.js';
import { DeliveryFlag, type DeliveryOptions, NO_OPTIONS } from './delivery-options.js';
import type { DownstreamScheduler, Flushable } from './downstream-scheduler.js';
import { NO_TICKET, OutboundQueue, type SettleTicket, type Ticket } from './outbound-queue.js';
import { OutcomeCode } from './outcome-batch.js';
import { SLOW_AFTER_MS, type TicketDeadlines, type TicketHolder } from './ticket-deadlines.js';
import type { WorkerCounters } from './worker-counters.js';

/** One write gathers up to this much. */
const MAX_WRITE_BYTES = 64 * 1024;
/** The session's own frames (responses, pongs) that may wait; beyond this the peer does not read. */
const MAX_OWN_QUEUE_BYTES = 4 * 1024 * 1024;
/** And how many: a PONG of six bytes costs a few hundred here. */
const MAX_OWN_QUEUE_FRAMES = 16 * 1024;
/** Share of a business's limit from which its droppable pushes go first. */
const DROPPABLE_SHARE = 0.5;

export interface OutboundPorts {
  readonly scheduler: DownstreamScheduler;
  readonly deadlines: TicketDeadlines;
  readonly counters: WorkerCounters;
  readonly settle: SettleTicket;
  now(): number;
}

export interface OutboundOwner {
  /** The peer does not read what it must; the session ends. */
  slowConsumer(): void;
  /** The frame that tells of pushes dropped by policy; `group` is empty for those to the device. */
  gapFrame(businessId: number, group: string, dropped: number): Uint8Array;
}

/** Where shared bytes come from: a group, in the round that carries them. */
export interface SharedSource {
  readonly business: Business;
  readonly name: string;
  /** Pushes put together in these bytes. */
  readonly roundMessages: number;
  /** Of all of them. */
  readonly roundOptions: DeliveryOptions;
}

interface Gap {
  readonly businessId: number;
  readonly group: string;
  dropped: number;
}

const NOBODY: readonly Ticket[] = [];
const NOTHING = Buffer.alloc(0);

export class Outbound implements Flushable, TicketHolder {
  readonly #transport: Transport;
  readonly #ports: OutboundPorts;
  readonly #owner: OutboundOwner;
  #queue: OutboundQueue | undefined;
  #gaps: Gap[] | undefined;
  /** Tickets of the write the kernel has not taken. */
  #written: readonly Ticket[] = NOBODY;
  #writtenAtMs = 0;
  #writtenTurn = -1;
  #isDirty = false;
  #awaitsDrain = false;
  /** Before CONNACK nothing else may leave. */
  #isHeld = true;
  #isClosed = false;

  constructor(transport: Transport, owner: OutboundOwner, ports: OutboundPorts) {
    this.#transport = transport;
    this.#owner = owner;
    this.#ports = ports;
  }

  get isIdle(): boolean {
    return this.#queue === undefined && this.#transport.writableBytes === 0;
  }

  /** Writes CONNACK, and from then on what waited behind it. */
  open(connack: Uint8Array): void {
    this.#isHeld = false;
    const wire = this.#transport.envelope.wrap(connack);
    this.#ports.counters.bytesOut += wire.length;
    this.#transport.write(wire);
    if (this.#queue !== undefined) this.#markDirty();
  }

  /** Whether the peer reads well enough to be asked something of this size. */
  hasRoom(frameBytes: number): boolean {
    return this.#queue === undefined || this.#queue.bytes + frameBytes <= MAX_OWN_QUEUE_BYTES / 2;
  }

  /** @param business whose limit and policy count; `undefined` for the session's own frames */
  send(
    frame: Uint8Array,
    business: Business | undefined,
    ticket: Ticket = NO_TICKET,
    options: DeliveryOptions = NO_OPTIONS,
  ): void {
    this.#enqueue(this.#transport.envelope.wrap(frame), business, '', 1, ticket, options);
  }

  /** @param wire shared bytes, already wrapped for this transport */
  deliverShared(wire: Uint8Array, source: SharedSource, turn: number): void {
    const isFree = this.#queue === undefined && this.#writtenTurn !== turn && !this.#isHeld;
    if (isFree && this.#transport.writeIfIdle(wire)) {
      this.#writtenTurn = turn;
      this.#ports.counters.bytesOut += wire.length;
      return;
    }
    const { business, name, roundMessages, roundOptions } = source;
    this.#enqueue(wire, business, name, roundMessages, NO_TICKET, roundOptions);
  }

  flush(turn: number): void {
    this.#isDirty = false;
    const queue = this.#queue;
    if (queue === undefined || this.#isClosed) return;
    if (this.#transport.writableBytes > 0) return this.#awaitDrain();
    if (queue.hasDue) {
      this.#expireDue(queue, this.#ports.now());
      if (queue.isEmpty) return this.#flushGaps(turn);
    }
    const chunk = queue.take(MAX_WRITE_BYTES);
    const wire = this.#withGaps(chunk.wire);
    this.#writtenTurn = turn;
    this.#ports.counters.bytesOut += wire.length;
    this.#transport.write(wire);
    if (queue.isEmpty) this.#queue = undefined;
    if (this.#transport.writableBytes === 0) {
      this.#settleAll(chunk.tickets, OutcomeCode.delivered);
      if (this.#queue !== undefined) this.#markDirty();
      return;
    }
    this.#written = chunk.tickets;
    this.#writtenAtMs = this.#ports.now();
    if (this.#queue !== undefined || chunk.tickets.length > 0) this.#awaitDrain();
  }

  /** The kernel has taken the last write. */
  drained(): void {
    this.#awaitsDrain = false;
    this.#settleAll(this.#written, OutcomeCode.delivered);
    this.#written = NOBODY;
    if (this.#queue !== undefined) this.#markDirty();
  }

  expireTickets(nowMs: number): boolean {
    const before = nowMs - SLOW_AFTER_MS;
    if (this.#queue?.hasDue === true) this.#expireDue(this.#queue, nowMs);
    const waiting = this.#queue?.expire(before, this.#ports.settle) ?? 0;
    if (this.#queue?.isEmpty === true) this.#queue = this.#gaps === undefined ? undefined : this.#gapsAlone();
    if (this.#writtenAtMs <= before) {
      // Part of it may be with the peer already.
      this.#settleAll(this.#written, OutcomeCode.unknown);
      this.#written = NOBODY;
    }
    return waiting > 0 || this.#written.length > 0 || this.#queue?.hasDue === true;
  }

  /** Writes what waits, if the kernel takes writes at all, and `close` behind it; nothing is written after. */
  finish(close: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#transport.writableBytes === 0) {
      // Taken, although the call that says so is still to come.
      this.#settleAll(this.#written, OutcomeCode.delivered);
      this.#written = NOBODY;
    }
    while (this.#queue !== undefined && this.#transport.writableBytes === 0 && !this.#isHeld) this.flush(-1);
    this.#transport.write(this.#transport.envelope.wrap(close));
    this.abandon();
  }

  /** The link is gone. */
  abandon(): void {
    this.#isClosed = true;
    this.#settleAll(this.#written, OutcomeCode.unknown);
    this.#written = NOBODY;
    this.#queue?.abandon(OutcomeCode.closed, this.#ports.settle);
    this.#queue = undefined;
  }

  #enqueue(
    wire: Uint8Array,
    business: Business | undefined,
    group: string,
    messages: number,
    ticket: Ticket,
    options: DeliveryOptions,
  ): void {
    if (!this.#isClosed && !this.#makeRoom(wire.length, business, options)) {
      if (ticket !== NO_TICKET) this.#ports.settle(ticket, OutcomeCode.slow);
      if (business !== undefined) this.#countDropped(business.id, group, messages);
      if (this.#queue?.isEmpty === true) this.#queue = this.#gapsAlone();
      return;
    }
    if (this.#isClosed) {
      if (ticket !== NO_TICKET) this.#ports.settle(ticket, OutcomeCode.closed);
      return;
    }
    this.#queue ??= new OutboundQueue();
    const businessId = business?.id ?? 0;
    this.#queue.push({ wire, businessId, group, messages, ticket, sinceMs: this.#ports.now(), options });
    if (this.#isDirty) return;
    const isTimed = ticket !== NO_TICKET || options.dueMs !== 0;
    if (isTimed && (this.#isHeld || this.#awaitsDrain)) this.#ports.deadlines.add(this);
    if (!this.#isHeld && !this.#awaitsDrain) this.#markDirty();
  }

  /**
   * Droppable pushes go first, from half of the business's limit on; at the limit its policy is applied, which may
   * close the session.
   *
   * @returns whether what comes may be queued; a droppable push is refused rather than make others go
   */
  #makeRoom(incomingBytes: number, business: Business | undefined, { flags }: DeliveryOptions): boolean {
    const queue = this.#queue;
    if (queue === undefined) return true;
    const isDroppable = (flags & DeliveryFlag.droppable) !== 0;
    if (business !== undefined && (isDroppable || queue.hasDroppable)) {
      const keepBytes = business.maxQueueBytes * DROPPABLE_SHARE - incomingBytes;
      if (queue.bytes > keepBytes && queue.bytesOf(business.id) > keepBytes) {
        this.#countAllDropped(business.id, queue.dropDroppable(business.id, keepBytes, this.#ports.settle));
        if (isDroppable && queue.bytesOf(business.id) > keepBytes) return false;
      }
    }
    if (business === undefined && queue.ownFrames >= MAX_OWN_QUEUE_FRAMES) {
      this.#owner.slowConsumer();
      return true;
    }
    const limit = business?.maxQueueBytes ?? MAX_OWN_QUEUE_BYTES;
    if (queue.bytes + incomingBytes <= limit) return true;
    if (queue.bytesOf(business?.id ?? 0) + incomingBytes <= limit) return true;
    if (business === undefined || business.slowConsumer === 'disconnect') {
      this.#owner.slowConsumer();
      return true;
    }
    const keepBytes = business.slowConsumer === 'latest-only' ? 0 : Math.max(limit - incomingBytes, 0);
    this.#countAllDropped(business.id, queue.dropOldest(business.id, keepBytes, this.#ports.settle));
    return true;
  }

  #expireDue(queue: OutboundQueue, nowMs: number): void {
    queue.expireDue(nowMs, this.#ports.settle, (businessId, group, messages) => {
      this.#ports.counters.expired += messages;
      this.#noteGap(businessId, group, messages);
    });
  }

  #countAllDropped(businessId: number, dropped: ReadonlyMap<string, number>): void {
    for (const [group, count] of dropped) this.#countDropped(businessId, group, count);
  }

  #countDropped(businessId: number, group: string, count: number): void {
    this.#ports.counters.dropped += count;
    this.#noteGap(businessId, group, count);
  }

  #noteGap(businessId: number, group: string, dropped: number): void {
    this.#gaps ??= [];
    const known = this.#gaps.find((gap) => gap.businessId === businessId && gap.group === group);
    if (known === undefined) this.#gaps.push({ businessId, group, dropped });
    else known.dropped += dropped;
  }

  /** What was dropped is told before what is left of the queue. */
  #withGaps(wire: Uint8Array): Uint8Array {
    if (this.#gaps === undefined) return wire;
    const gaps = this.#gaps.map(({ businessId, group, dropped }) =>
      this.#transport.envelope.wrap(this.#owner.gapFrame(businessId, group, dropped)),
    );
    this.#gaps = undefined;
    return Buffer.concat([...gaps, wire]);
  }

  /** What was dropped is still to be told, although nothing is left to tell it before. */
  #gapsAlone(): OutboundQueue {
    const queue = new OutboundQueue();
    const wire = this.#withGaps(NOTHING);
    const sinceMs = this.#ports.now();
    queue.push({ wire, businessId: 0, group: '', messages: 0, ticket: NO_TICKET, sinceMs, options: NO_OPTIONS });
    return queue;
  }

  /** Everything has expired before it could be written. */
  #flushGaps(turn: number): void {
    this.#queue = this.#gapsAlone();
    this.flush(turn);
  }

  #awaitDrain(): void {
    if (this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    this.#ports.deadlines.add(this);
    this.#transport.notifyDrain();
  }

  #markDirty(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#ports.scheduler.markDirty(this);
  }

  #settleAll(tickets: readonly Ticket[], code: OutcomeCode): void {
    for (const ticket of tickets) this.#ports.settle(ticket, code);
  }
}
