/** Payloads: what callers may give, and what they get with readers for text and JSON. */
import type { StringMap } from '../protocol/index.js';

/** Bytes, or text that is sent as UTF-8. */
export type PayloadInput = string | Uint8Array;

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function toBytes(payload: PayloadInput | undefined): Uint8Array {
  if (payload === undefined) return NOTHING;
  return typeof payload === 'string' ? encoder.encode(payload) : payload;
}

/** Something with metadata and a payload that came from the other side. */
export class Message {
  constructor(
    readonly metadata: StringMap,
    /** A view on the received bytes; copy it to keep a small part of something large. */
    readonly payload: Uint8Array,
  ) {}

  /** The payload as UTF-8; bytes that are not become U+FFFD. */
  text(): string {
    return decoder.decode(this.payload);
  }

  /** The payload as JSON, unchecked against any type. @throws {SyntaxError} it is not JSON */
  json(): unknown {
    return JSON.parse(this.text());
  }
}

/** The OK answer to a request. */
export class Reply extends Message {
  constructor(
    /** Always `Status.ok`: other statuses are thrown as RequestError. */
    readonly status: number,
    metadata: StringMap,
    payload: Uint8Array,
  ) {
    super(metadata, payload);
  }
}

/** Where a multicast was sent and its position in the group's stream. */
export interface PushOrigin {
  readonly group: string;
  readonly offset: number;
}

/** A push, to this device or, with `group` and `offset`, to a group it joined. */
export class Push extends Message {
  readonly group: string | undefined;
  readonly offset: number | undefined;

  constructor(
    readonly messageId: string,
    metadata: StringMap,
    payload: Uint8Array,
    origin?: PushOrigin | undefined,
  ) {
    super(metadata, payload);
    this.group = origin?.group;
    this.offset = origin?.offset;
  }
}
