/**
 * One multicast group on one worker: gathers what comes within a window, puts it together once per kind of wire,
 * and hands every member the same bytes. An outcome is reported when the round that carried the message is over,
 * so whoever publishes faster than the members can be served notices.
 */
import type { Envelope } from '../transports/index.js';
import type { Business } from './business.js';
import { DeliveryFlag, type DeliveryOptions, mayShare, NO_OPTIONS } from './delivery-options.js';
import type { FanOut } from './downstream-scheduler.js';
import { GroupMembers } from './group-members.js';
import { OutcomeCode } from './outcome-batch.js';

/** A member as the group sees it. */
export interface GroupMember {
  readonly envelope: Envelope;
  /** Writes shared wire bytes, or queues them behind what already waits. */
  deliverShared(wire: Uint8Array, source: Group, turn: number): void;
  /** Its membership was ended from the server side. */
  membershipEnded(group: Group): void;
}

/** Frames of one round are put together up to this size. */
const MAX_ROUND_BYTES = 256 * 1024;
/** What may wait for its round; more is refused as overload. */
const MAX_GATHERED_BYTES = 8 * 1024 * 1024;

interface Gathered {
  readonly frame: Uint8Array;
  readonly pushId: number;
  readonly options: DeliveryOptions;
}

export interface GroupPorts {
  /** Reports a multicast's outcome on this worker. */
  settle(pushId: number, code: OutcomeCode, members: number): void;
  /** A round is over: messages handed to members. */
  delivered(messages: number): void;
  /** A message's time to live passed before its round. */
  expired(): void;
  /** Its number of members changed. */
  changed(group: Group): void;
  /** The worker's clock, milliseconds. */
  now(): number;
}

export class Group implements FanOut {
  readonly business: Business;
  readonly name: string;
  readonly epoch: string;
  /** Position of the last message handed to this worker. */
  offset: number;
  readonly #ports: GroupPorts;
  readonly #members = new GroupMembers<GroupMember>();
  #gathered: Gathered[] = [];
  #gatheredBytes = 0;
  /** Gathered messages of high priority. */
  #gatheredHigh = 0;
  /** The lane has it, from the first message on until a round leaves nothing behind. */
  #isSubmitted = false;
  #round: Gathered[] = [];
  /** The round as each kind of wire wants it, by `Envelope.index`. */
  #wires: Uint8Array[] = [];
  #cursor = 0;
  #end = 0;

  constructor(business: Business, name: string, stream: { epoch: string; offset: number }, ports: GroupPorts) {
    this.business = business;
    this.name = name;
    this.epoch = stream.epoch;
    this.offset = stream.offset;
    this.#ports = ports;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Messages of the round under way. */
  get roundMessages(): number {
    return this.#round.length;
  }

  /** Theirs; what waits in a connection's queue as one has one set of options. */
  get roundOptions(): DeliveryOptions {
    return this.#round[0]?.options ?? NO_OPTIONS;
  }

  get isUrgent(): boolean {
    return this.#gatheredHigh > 0;
  }

  has(member: GroupMember): boolean {
    return this.#members.has(member);
  }

  join(member: GroupMember): boolean {
    const isNew = this.#members.add(member);
    if (isNew) this.#ports.changed(this);
    return isNew;
  }

  leave(member: GroupMember): boolean {
    const wasMember = this.#members.remove(member);
    if (wasMember) this.#ports.changed(this);
    return wasMember;
  }

  /** Ends every membership and tells the members. */
  dissolve(): void {
    for (const member of this.#members.all()) {
      this.#members.remove(member);
      member.membershipEnded(this);
    }
    this.#ports.changed(this);
  }

  /** @param pushId wants the outcome; 0 for none */
  publish(frame: Uint8Array, offset: number, pushId: number, options: DeliveryOptions = NO_OPTIONS): void {
    this.offset = offset;
    if (this.#members.size === 0) return this.#ports.settle(pushId, OutcomeCode.delivered, 0);
    if (this.#gatheredBytes + frame.length > MAX_GATHERED_BYTES) {
      return this.#ports.settle(pushId, OutcomeCode.overloaded, 0);
    }
    this.#gathered.push({ frame, pushId, options });
    this.#gatheredBytes += frame.length;
    const isHigh = (options.flags & DeliveryFlag.high) !== 0;
    if (isHigh) this.#gatheredHigh += 1;
    if (this.#isSubmitted) {
      if (isHigh && this.#gatheredHigh === 1) this.business.lane.hurry(this);
      return;
    }
    this.#isSubmitted = true;
    this.business.lane.submit(this);
  }

  begin(): void {
    this.#forgetExpired();
    const options = this.#gathered[0]?.options ?? NO_OPTIONS;
    let count = 0;
    let bytes = 0;
    for (const next of this.#gathered) {
      if (count > 0 && (bytes + next.frame.length > MAX_ROUND_BYTES || !mayShare(options, next.options))) break;
      count += 1;
      bytes += next.frame.length;
    }
    this.#round = this.#gathered.slice(0, count);
    this.#gathered = this.#gathered.slice(count);
    this.#gatheredBytes -= bytes;
    if ((options.flags & DeliveryFlag.high) !== 0) this.#gatheredHigh -= count;
    this.#cursor = 0;
    this.#end = count === 0 ? 0 : this.#members.beginWalk();
  }

  get isRoundOver(): boolean {
    return this.#round.length === 0;
  }

  runSlice(maxMembers: number, turn: number): number {
    const start = this.#cursor;
    const stop = Math.min(start + maxMembers, this.#end);
    for (; this.#cursor < stop; this.#cursor++) {
      const member = this.#members.at(this.#cursor);
      if (member === undefined) continue;
      const { envelope } = member;
      const wire = this.#wires[envelope.index] ?? this.#wrapRound(envelope);
      member.deliverShared(wire, this, turn);
    }
    if (this.#cursor === this.#end) this.#finishRound();
    return stop - start;
  }

  hasMore(): boolean {
    return this.#gathered.length > 0;
  }

  #forgetExpired(): void {
    if (this.#gathered.every(({ options }) => options.dueMs === 0)) return;
    const nowMs = this.#ports.now();
    this.#gathered = this.#gathered.filter(({ frame, pushId, options: { dueMs, flags } }) => {
      if (dueMs === 0 || nowMs < dueMs) return true;
      this.#gatheredBytes -= frame.length;
      if ((flags & DeliveryFlag.high) !== 0) this.#gatheredHigh -= 1;
      this.#ports.expired();
      this.#ports.settle(pushId, OutcomeCode.expired, 0);
      return false;
    });
  }

  #wrapRound(envelope: Envelope): Uint8Array {
    const frames = this.#round.map((gathered) => gathered.frame);
    const wire = envelope.wrap(frames.length === 1 ? (frames[0] as Uint8Array) : Buffer.concat(frames));
    this.#wires[envelope.index] = wire;
    return wire;
  }

  #finishRound(): void {
    const round = this.#round;
    this.#isSubmitted = this.#gathered.length > 0;
    this.#round = [];
    this.#wires = [];
    this.#members.endWalk();
    this.#ports.delivered(round.length * this.#end);
    for (const { pushId } of round) this.#ports.settle(pushId, OutcomeCode.delivered, this.#end);
  }
}
