/**
 * What another node has sent to this one, applied as this node's own router would: deliveries go to their worker and
 * their outcomes back, answers to whoever waits. A message is taken whole or not at all; nothing in it can make this
 * node throw.
 */
import { decodeFrame, FrameDecoder, FrameType, HEADER_BYTES, MAX_DECLARABLE_BYTES, Status } from '../protocol/index.js';
import { generationOf } from './connection-id.js';
import type { CallItem, DeliveryItem, PushItem } from './delivery-batch.js';
import type { Destinations } from './destinations.js';
import { OutcomeCode } from './outcome-batch.js';
import { type Ask, decodePeerMessage, type MulticastAnswer, type PeerSection, type Tell } from './peer-batch.js';
import type { PeerOutboxes } from './peer-outboxes.js';
import { isMembershipChange, isTell } from './peer-topics.js';
import type { PendingCalls } from './pending-calls.js';
import type { PendingPushes } from './pending-pushes.js';
import type { RelayedCalls } from './relayed-calls.js';
import type { RelayedPushes } from './relayed-pushes.js';
import { MEMBERSHIP_TOPICS, type MembershipTopic, type RouterGroups } from './router-groups.js';
import type { WorkerOutbox } from './worker-outbox.js';

export interface PeerInboxPorts {
  readonly destinations: Destinations;
  readonly outboxes: PeerOutboxes;
  readonly pushes: PendingPushes;
  readonly calls: PendingCalls;
  readonly relayedPushes: RelayedPushes;
  readonly relayedCalls: RelayedCalls;
  readonly groups: RouterGroups;
  readonly now: () => number;
  readonly epochMs: () => number;
  /** Whether so many targets more would be too many. */
  isOverloaded(targets: number): boolean;
  onMulticastAnswer(answer: MulticastAnswer): void;
  onMalformed(): void;
  onError(error: unknown): void;
}

export class PeerInbox {
  readonly #ports: PeerInboxPorts;

  constructor(ports: PeerInboxPorts) {
    this.#ports = ports;
  }

  receive(bytes: Uint8Array): void {
    const message = decodePeerMessage(bytes, this.#ports.epochMs());
    if (message === undefined || !message.sections.every(isSound)) return this.#ports.onMalformed();
    for (const section of message.sections) this.#apply(message.origin, section);
  }

  #apply(origin: string, section: PeerSection): void {
    switch (section.kind) {
      case 'deliveries':
        for (const item of section.items) this.#deliver(origin, section.worker, item);
        return;
      case 'outcomes': {
        const number = this.#ports.outboxes.find(origin)?.numberOf(section.worker);
        if (number !== undefined) for (const outcome of section.outcomes) this.#ports.pushes.settle(outcome, number);
        return;
      }
      case 'replies':
        return this.#replies(origin, section.worker, section.frames);
      case 'tell':
        return this.#ports.destinations.local(section.worker)?.send(section.topic, section.message);
      case 'ask':
        return void this.#answer(origin, section);
      case 'answer':
        return this.#ports.outboxes.find(origin)?.answered(section);
      case 'multicasts':
        for (const answer of section.answers) this.#ports.onMulticastAnswer(answer);
    }
  }

  #deliver(origin: string, worker: number, item: DeliveryItem): void {
    const local = this.#ports.destinations.local(worker);
    if (item.kind === 'push') this.#push(origin, worker, local, item);
    else if (item.kind === 'call') this.#call(origin, worker, local, item);
    else if (item.kind === 'cancel') {
      const callId = this.#ports.relayedCalls.idOf(origin, item.callId);
      if (callId !== undefined) local?.deliver({ ...item, callId });
    }
  }

  #push(origin: string, worker: number, local: WorkerOutbox | undefined, item: PushItem): void {
    const { isOverloaded, now, relayedPushes } = this.#ports;
    const current = local && currentTargets(local, item);
    if (current !== item) this.#settle(origin, worker, item, OutcomeCode.offline, current?.indexes);
    if (local === undefined || current === undefined || current.serials.length === 0) return;
    if (isOverloaded(current.serials.length)) return this.#settle(origin, worker, current, OutcomeCode.shed);
    local.deliver(relayedPushes.begin(current, { origin, worker }, local.number, now()));
  }

  /** @param except indexes that are not settled */
  #settle(origin: string, worker: number, item: PushItem, code: OutcomeCode, except: readonly number[] = []): void {
    if (item.pushId === 0) return;
    const outbox = this.#ports.outboxes.of(origin);
    const kept = new Set(except);
    for (const index of item.indexes) if (!kept.has(index)) outbox.outcome(worker, item.pushId, index, code);
  }

  #call(origin: string, worker: number, local: WorkerOutbox | undefined, item: CallItem): void {
    const { isOverloaded, now, relayedCalls } = this.#ports;
    const from = { origin, worker, callId: item.callId };
    if (local?.generation !== generationOf(item.serial)) {
      return relayedCalls.refuse(from, Status.unavailable, 'offline');
    }
    if (isOverloaded(1)) return relayedCalls.refuse(from, Status.resourceExhausted, 'the node is overloaded');
    const call = relayedCalls.begin(item, from, local.number, now());
    if (call !== undefined) local.deliver(call);
  }

  #replies(origin: string, worker: number, frames: Uint8Array): void {
    const number = this.#ports.outboxes.find(origin)?.numberOf(worker);
    if (number === undefined) return;
    for (const raw of new FrameDecoder(MAX_DECLARABLE_BYTES).decode(frames)) {
      const frame = decodeFrame(raw);
      if (frame?.type === FrameType.response) this.#ports.calls.settle(frame.requestId, frame, number);
    }
  }

  async #answer(origin: string, { id, worker, topic, message }: Ask): Promise<void> {
    const { groups, onError, outboxes } = this.#ports;
    let answer: unknown;
    try {
      if (isMembershipChange(message)) answer = await groups.changeHere(worker, topic as MembershipTopic, message);
    } catch (error) {
      onError(error);
    }
    outboxes.of(origin).answer({ id, answer });
  }
}

/** @returns the item with those targets that are of the run of the worker that is attached */
function currentTargets({ generation }: WorkerOutbox, item: PushItem): PushItem {
  if (item.serials.every((serial) => generationOf(serial) === generation)) return item;
  const kept = item.serials.map((serial, i) => [serial, item.indexes[i] as number] as const);
  const current = kept.filter(([serial]) => generationOf(serial) === generation);
  return { ...item, serials: current.map(([serial]) => serial), indexes: current.map(([, index]) => index) };
}

/** What decodes and still says nothing that can be done. */
function isSound(section: PeerSection): boolean {
  switch (section.kind) {
    case 'deliveries':
      return section.items.every(isSoundDelivery);
    case 'replies':
      return areFrames(section.frames);
    case 'tell':
      return isTell(section satisfies Tell);
    case 'ask':
      return MEMBERSHIP_TOPICS.some((topic) => topic === section.topic) && isMembershipChange(section.message);
    default:
      return true;
  }
}

/** A PUSH goes to devices as it came. */
function isSoundDelivery(item: DeliveryItem): boolean {
  if (item.kind === 'cancel') return true;
  const { frame } = item;
  const type = item.kind === 'push' ? FrameType.push : FrameType.request;
  if (frame.length < HEADER_BYTES || frame[3] !== type) return false;
  const length = ((frame[0] as number) << 16) | ((frame[1] as number) << 8) | (frame[2] as number);
  return frame.length === HEADER_BYTES + length;
}

function areFrames(bytes: Uint8Array): boolean {
  try {
    const decoder = new FrameDecoder(MAX_DECLARABLE_BYTES);
    for (const raw of decoder.decode(bytes)) decodeFrame(raw);
    return decoder.pendingBytes === 0;
  } catch {
    return false;
  }
}
