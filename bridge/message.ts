/**
 * A validated body as the message that the router takes: id given, payload in bytes, and small enough for the frame
 * limit that devices were told at login. The size is counted, not encoded: the router encodes it once, later.
 */
import { randomBytes } from 'node:crypto';
import { type StringMap, utf8Length } from '../protocol/index.js';
import { PayloadTooLargeError } from './errors.js';
import type { PushMessage } from './routing.js';
import type { MessageBody } from './schemas.js';

export const NO_METADATA: StringMap = Object.freeze({});
const FLAGS_BYTES = 1;
const NUMBER_BYTES = 8;

/** Everything of a message but its payload. */
export type MessageOptions = Omit<MessageBody, 'payload' | 'payloadBase64'>;

export interface MessageFactoryOptions {
  /** The agreed frame limit: bytes of a frame's body. */
  readonly maxFrameBytes: number;
}

interface Payloads {
  readonly payload?: string | undefined;
  readonly payloadBase64?: string | undefined;
}

export class MessageFactory {
  readonly #maxFrameBytes: number;
  /** Random per factory, so that restarts and nodes do not repeat each other's ids. */
  readonly #idPrefix = `${randomBytes(6).toString('base64url')}-`;
  #lastId = 0;

  constructor(options: MessageFactoryOptions) {
    this.#maxFrameBytes = options.maxFrameBytes;
  }

  /**
   * @param group the group it goes to, which takes its place in the frame; absent for devices
   * @throws {PayloadTooLargeError}
   */
  create(businessId: number, body: MessageBody, group?: string): PushMessage {
    return this.createFrom(businessId, payloadOf(body), body, group);
  }

  /** As `create`, of bytes. */
  createFrom(businessId: number, payload: Uint8Array, options: MessageOptions, group?: string): PushMessage {
    const { messageId = this.#nextId(), metadata = NO_METADATA, ttlMs, priority, droppable } = options;
    this.#checkBytes(pushBytes(businessId, messageId, metadata, payload.length, group));
    const message = { businessId, messageId, metadata, payload };
    if (ttlMs === undefined && priority === undefined && droppable === undefined) return message;
    return { ...message, ttlMs, priority, droppable };
  }

  /** @throws {PayloadTooLargeError} a REQUEST to a device would not fit */
  checkCall(businessId: number, method: string, metadata: StringMap, payload: Uint8Array): void {
    const numbers = NUMBER_BYTES + varintBytes(businessId) + NUMBER_BYTES;
    this.#checkBytes(numbers + stringBytes(method) + mapBytes(metadata) + payload.length);
  }

  #checkBytes(bytes: number): void {
    if (bytes > this.#maxFrameBytes) throw new PayloadTooLargeError(bytes, this.#maxFrameBytes);
  }

  #nextId(): string {
    this.#lastId += 1;
    return this.#idPrefix + this.#lastId.toString(36);
  }
}

/** Empty when there is none. */
export function payloadOf({ payload, payloadBase64 = '' }: Payloads): Buffer {
  return payload === undefined ? Buffer.from(payloadBase64, 'base64') : Buffer.from(payload, 'utf8');
}

/** Bytes of the PUSH frame's body; a multicast's offset counts as its largest form. */
function pushBytes(
  businessId: number,
  messageId: string,
  metadata: StringMap,
  payloadBytes: number,
  group: string | undefined,
): number {
  const bytes = varintBytes(businessId) + FLAGS_BYTES + stringBytes(messageId) + mapBytes(metadata) + payloadBytes;
  return group === undefined ? bytes : bytes + stringBytes(group) + NUMBER_BYTES;
}

function mapBytes(map: StringMap): number {
  if (map === NO_METADATA) return 1;
  let bytes = 0;
  let count = 0;
  for (const key in map) {
    bytes += stringBytes(key) + stringBytes(map[key] ?? '');
    count += 1;
  }
  return bytes + varintBytes(count);
}

function stringBytes(text: string): number {
  const bytes = utf8Length(text);
  return varintBytes(bytes) + bytes;
}

/** RFC 9000, section 16. */
function varintBytes(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  return value < 0x4000_0000 ? 4 : 8;
}
