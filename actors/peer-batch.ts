/**
 * The codec between the routers of two nodes: all that one turn has for a node in one message.
 *
 *   message   version u8  origin: 8 bytes  sections
 *   section   kind u8  worker u16  length u32  body
 *
 *   deliveries (1) to this worker: a delivery batch, moments as milliseconds left, since clocks may differ
 *   outcomes   (2) of this worker, under the push ids of the node they go to
 *   replies    (3) of this worker: whole RESPONSE frames, their request ids are call ids of the node they go to
 *   tell       (4) to this worker: JSON [topic, message]
 *   ask        (5) to this worker: JSON [id, topic, message]
 *   answer     (6) to an ask: JSON [id, answer], no answer when it failed
 *   multicasts (7) what became of multicasts of the node they go to: id u32  workers u16  members u32  unanswered u16
 *              overloaded u16
 *
 * Integers are big-endian. What another version says is not guessed at: a message is taken whole or not at all.
 */
import { type DeliveryItem, decodeDeliveries, encodeDeliveries } from './delivery-batch.js';
import { areOutcomes, decodeOutcomes, type Outcome, type OutcomeWriter } from './outcome-batch.js';

const VERSION = 1;
const INCARNATION_BYTES = 8;
const HEAD_BYTES = 1 + INCARNATION_BYTES;
const SECTION_HEAD_BYTES = 7;
const MULTICAST_BYTES = 14;
const KIND = { deliveries: 1, outcomes: 2, replies: 3, tell: 4, ask: 5, answer: 6, multicasts: 7 } as const;
/** Instead of a time to live of exactly 0, which would say that there is none. */
const JUST_EXPIRED_MS = -1;

export interface Tell {
  readonly worker: number;
  readonly topic: string;
  readonly message: object;
}

export interface Ask extends Tell {
  readonly id: number;
}

export interface Answer {
  readonly id: number;
  /** Absent when what was asked failed. */
  readonly answer?: unknown;
}

/** What became of a multicast on one node. */
export interface MulticastAnswer {
  readonly id: number;
  /** Access workers it was for. */
  readonly workers: number;
  readonly members: number;
  /** Of the workers: those that did not answer in time or refused it, overloaded ones included. */
  readonly unanswered: number;
  readonly overloaded: number;
}

export type PeerSection =
  | { readonly kind: 'deliveries'; readonly worker: number; readonly items: readonly DeliveryItem[] }
  | { readonly kind: 'outcomes'; readonly worker: number; readonly outcomes: readonly Outcome[] }
  | { readonly kind: 'replies'; readonly worker: number; readonly frames: Uint8Array }
  | ({ readonly kind: 'tell' } & Tell)
  | ({ readonly kind: 'ask' } & Ask)
  | ({ readonly kind: 'answer' } & Answer)
  | { readonly kind: 'multicasts'; readonly answers: readonly MulticastAnswer[] };

export interface PeerMessage {
  /** Incarnation of the node it came from. */
  readonly origin: string;
  readonly sections: readonly PeerSection[];
}

/** Encodes sections, one by one. */
export class PeerBatchWriter {
  readonly #parts: Uint8Array[];

  constructor(origin: string) {
    const head = Buffer.alloc(HEAD_BYTES);
    head[0] = VERSION;
    head.write(origin, 1, 'hex');
    this.#parts = [head];
  }

  /** @param epochMs moments in items are of this clock */
  deliveries(worker: number, items: readonly DeliveryItem[], epochMs: number): void {
    this.#add(KIND.deliveries, worker, encodeDeliveries(items.map((item) => shiftExpiry(item, -epochMs))));
  }

  outcomes(worker: number, outcomes: OutcomeWriter): void {
    this.#add(KIND.outcomes, worker, outcomes.take());
  }

  replies(worker: number, frames: readonly Uint8Array[]): void {
    this.#add(KIND.replies, worker, Buffer.concat(frames));
  }

  tell({ worker, topic, message }: Tell): void {
    this.#json(KIND.tell, worker, [topic, message]);
  }

  ask({ worker, id, topic, message }: Ask): void {
    this.#json(KIND.ask, worker, [id, topic, message]);
  }

  answer({ id, answer }: Answer): void {
    this.#json(KIND.answer, 0, answer === undefined ? [id] : [id, answer]);
  }

  multicasts(answers: readonly MulticastAnswer[]): void {
    const body = Buffer.allocUnsafe(answers.length * MULTICAST_BYTES);
    let at = 0;
    for (const { id, workers, members, unanswered, overloaded } of answers) {
      at = body.writeUInt32BE(id, at);
      at = body.writeUInt16BE(workers, at);
      at = body.writeUInt32BE(members, at);
      at = body.writeUInt16BE(unanswered, at);
      at = body.writeUInt16BE(overloaded, at);
    }
    this.#add(KIND.multicasts, 0, body);
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  #json(kind: number, worker: number, value: unknown): void {
    this.#add(kind, worker, Buffer.from(JSON.stringify(value)));
  }

  #add(kind: number, worker: number, body: Uint8Array): void {
    const head = Buffer.allocUnsafe(SECTION_HEAD_BYTES);
    head[0] = kind;
    head.writeUInt16BE(worker, 1);
    head.writeUInt32BE(body.length, 3);
    this.#parts.push(head, body);
  }
}

/**
 * @param bytes from anywhere
 * @param epochMs moments in items become those of this clock
 * @returns `undefined` when they are not a message of this version
 */
export function decodePeerMessage(bytes: Uint8Array, epochMs: number): PeerMessage | undefined {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (message.length < HEAD_BYTES || message[0] !== VERSION) return undefined;
  const sections: PeerSection[] = [];
  try {
    for (let at = HEAD_BYTES; at < message.length; ) {
      const bodyAt = at + SECTION_HEAD_BYTES;
      const end = bodyAt + message.readUInt32BE(at + 3);
      if (end > message.length) return undefined;
      const worker = message.readUInt16BE(at + 1);
      const section = decodeSection(message[at] as number, worker, message.subarray(bodyAt, end), epochMs);
      if (section === undefined) return undefined;
      sections.push(section);
      at = end;
    }
  } catch {
    return undefined;
  }
  return { origin: message.toString('hex', 1, HEAD_BYTES), sections };
}

/** @throws {RangeError | SyntaxError} when the body is not one */
function decodeSection(kind: number, worker: number, body: Buffer, epochMs: number): PeerSection | undefined {
  switch (kind) {
    case KIND.deliveries: {
      const items = decodeDeliveries(body).map((item) => shiftExpiry(item, epochMs));
      return items.some((item) => item.kind === 'multicast') ? undefined : { kind: 'deliveries', worker, items };
    }
    case KIND.outcomes:
      return areOutcomes(body) ? { kind: 'outcomes', worker, outcomes: [...decodeOutcomes(body)] } : undefined;
    case KIND.replies:
      return { kind: 'replies', worker, frames: body };
    case KIND.tell: {
      const [topic, message] = jsonList(body);
      return isTopic(topic) && isObject(message) ? { kind: 'tell', worker, topic, message } : undefined;
    }
    case KIND.ask: {
      const [id, topic, message] = jsonList(body);
      if (typeof id !== 'number' || !isTopic(topic) || !isObject(message)) return undefined;
      return { kind: 'ask', worker, id, topic, message };
    }
    case KIND.answer: {
      const [id, answer] = jsonList(body);
      return typeof id === 'number' ? { kind: 'answer', id, answer } : undefined;
    }
    case KIND.multicasts:
      return body.length % MULTICAST_BYTES === 0 ? { kind: 'multicasts', answers: multicastAnswers(body) } : undefined;
    default:
      return undefined;
  }
}

function multicastAnswers(body: Buffer): MulticastAnswer[] {
  return Array.from({ length: body.length / MULTICAST_BYTES }, (_, i) => {
    const at = i * MULTICAST_BYTES;
    return {
      id: body.readUInt32BE(at),
      workers: body.readUInt16BE(at + 4),
      members: body.readUInt32BE(at + 6),
      unanswered: body.readUInt16BE(at + 10),
      overloaded: body.readUInt16BE(at + 12),
    };
  });
}

function shiftExpiry(item: DeliveryItem, byMs: number): DeliveryItem {
  if (item.kind === 'call' || item.kind === 'cancel' || item.expiresAtMs === 0) return item;
  return { ...item, expiresAtMs: item.expiresAtMs + byMs || JUST_EXPIRED_MS };
}

function jsonList(body: Buffer): readonly unknown[] {
  const value: unknown = JSON.parse(body.toString());
  return Array.isArray(value) ? value : [];
}

function isTopic(value: unknown): value is string {
  return typeof value === 'string';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
