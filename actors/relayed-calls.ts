/**
 * Calls of other nodes to devices of this one. A device is asked under an id of this node, because two nodes may
 * choose the same; its answer goes back under the one that the call came with. The call's time is kept by its own
 * node; here it is only forgotten when that is over.
 */
import {
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameDecoder,
  FrameType,
  MAX_DECLARABLE_BYTES,
  Status,
} from '../protocol/index.js';
import type { CallItem } from './delivery-batch.js';
import { localReply } from './pending-calls.js';
import type { DeviceReply } from './routing-service.js';

/** After its deadline its node has given up. */
const GRACE_MS = 2_000;

export interface RelayedCall {
  readonly origin: string;
  /** The worker that answers, as the origin knows it. */
  readonly worker: number;
  readonly callId: number;
}

interface Relayed extends RelayedCall {
  readonly destination: number;
  readonly endsAtMs: number;
}

export interface RelayedCallsPorts {
  readonly nextId: () => number;
  /** @param frame a whole RESPONSE frame */
  onReply(call: RelayedCall, frame: Uint8Array): void;
}

export class RelayedCalls {
  readonly #ports: RelayedCallsPorts;
  readonly #calls = new Map<number, Relayed>();
  /** Ids here by where they came from. */
  readonly #ids = new Map<string, number>();

  constructor(ports: RelayedCallsPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** @returns the call under an id of this node; `undefined` when its frame is no REQUEST */
  begin(item: CallItem, from: Omit<RelayedCall, 'callId'>, destination: number, nowMs: number): CallItem | undefined {
    const frame = frameOf(item.frame);
    if (frame?.type !== FrameType.request) return undefined;
    const id = this.#ports.nextId();
    const { callId } = item;
    const endsAtMs = nowMs + frame.deadlineMs + GRACE_MS;
    this.#calls.set(id, { ...from, callId, destination, endsAtMs });
    this.#ids.set(keyOf(from.origin, callId), id);
    return { ...item, callId: id, frame: encodeFrame({ ...frame, requestId: id }) };
  }

  /** @returns the id here of a call that is to be cancelled */
  idOf(origin: string, callId: number): number | undefined {
    return this.#ids.get(keyOf(origin, callId));
  }

  /** Answers without asking the device. */
  refuse(call: RelayedCall, status: number, reason: string): void {
    this.#reply(call, localReply(status, reason));
  }

  settle(id: number, reply: DeviceReply, destination: number): void {
    const call = this.#calls.get(id);
    if (call?.destination !== destination) return;
    this.#forget(id, call);
    this.#reply(call, reply);
  }

  expire(nowMs: number): void {
    for (const [id, call] of this.#calls) if (call.endsAtMs <= nowMs) this.#forget(id, call);
  }

  gone(destination: number): void {
    for (const [id, call] of this.#calls) {
      if (call.destination !== destination) continue;
      this.#forget(id, call);
      this.refuse(call, Status.unavailable, 'connection lost');
    }
  }

  #reply(call: RelayedCall, { status, metadata, payload }: DeviceReply): void {
    const type = FrameType.response;
    this.#ports.onReply(call, encodeFrame({ type, requestId: call.callId, status, metadata, payload }));
  }

  #forget(id: number, { origin, callId }: Relayed): void {
    this.#calls.delete(id);
    this.#ids.delete(keyOf(origin, callId));
  }
}

function frameOf(bytes: Uint8Array): Frame | undefined {
  try {
    const [raw] = new FrameDecoder(MAX_DECLARABLE_BYTES).decode(bytes);
    return raw && decodeFrame(raw);
  } catch {
    return undefined;
  }
}

function keyOf(origin: string, callId: number): string {
  return `${origin} ${callId}`;
}
