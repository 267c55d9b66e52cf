/**
 * A validated body as the message that the router takes: id given, payload in bytes, and small enough for the frame
 * limit that devices were told at login. The size is counted, not encoded: the worker encodes it once, later.
 */
import { randomBytes } from 'node:crypto';
import { type StringMap, utf8Length } from '../protocol/index.js';
import { PayloadTooLargeError } from './errors.js';
import type { PushMessage } from './routing.js';
import type { MessageBody } from './schemas.js';

const NO_METADATA: StringMap = Object.freeze({});
const FLAGS_BYTES = 1;
const OFFSET_BYTES = 8;

export interface MessageFactoryOptions {
  /** The agreed frame limit: bytes of a frame's body. */
  readonly maxFrameBytes: number;
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
    const { messageId = this.#nextId(), metadata = NO_METADATA } = body;
    const payload =
      body.payload === undefined ? Buffer.from(body.payloadBase64 ?? '', 'base64') : Buffer.from(body.payload, 'utf8');
    const bytes = frameBytes(businessId, messageId, metadata, payload.length, group);
    if (bytes > this.#maxFrameBytes) throw new PayloadTooLargeError(bytes, this.#maxFrameBytes);
    return { businessId, messageId, metadata, payload };
  }

  #nextId(): string {
    this.#lastId += 1;
    return this.#idPrefix + this.#lastId.toString(36);
  }
}

/** Bytes of the PUSH frame's body; a multicast's offset counts as its largest form. */
function frameBytes(
  businessId: number,
  messageId: string,
  metadata: StringMap,
  payloadBytes: number,
  group: string | undefined,
): number {
  let bytes = varintBytes(businessId) + FLAGS_BYTES + stringBytes(messageId) + payloadBytes;
  if (group !== undefined) bytes += stringBytes(group) + OFFSET_BYTES;
  bytes += 1 + (metadata === NO_METADATA ? 0 : mapBytes(metadata));
  return bytes;
}

function mapBytes(map: StringMap): number {
  let bytes = 0;
  let count = 0;
  for (const key in map) {
    bytes += stringBytes(key) + stringBytes(map[key] ?? '');
    count += 1;
  }
  return bytes + varintBytes(count) - 1;
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
