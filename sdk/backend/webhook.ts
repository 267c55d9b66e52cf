/**
 * What a business's back-end gets from Trunkline, a device's request or a connection event: proof that Trunkline sent
 * it, then its parts. Verification comes first and needs the raw body: parsing what a stranger sent is what the
 * signature is there to prevent.
 *
 * @see docs/integration.md, "Verifying a request" and "Connection events"
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import {
  CONNECTED_EVENT_TYPE,
  canonicalText,
  DISCONNECTED_EVENT_TYPE,
  decodeHeaderValue,
  type HeaderMap,
  headerValue,
  META_PREFIX,
  REQUEST_EVENT_TYPE,
  SIGNATURE_HEADER,
  SIGNATURE_TOLERANCE_MS,
  type StringMap,
  signatureDigests,
  TIMESTAMP_HEADER,
} from '../../protocol/index.js';
import { Message } from '../message.js';
import { MalformedWebhookError } from './errors.js';

export interface WebhookInput {
  /** Node's `request.headers`: names in lower case. */
  readonly headers: HeaderMap;
  /** The raw body, as it came. */
  readonly body: Uint8Array;
  /** The business's `signingSecret`; several while one takes the place of another. */
  readonly secret: string | readonly string[];
  /** Now, by default. */
  readonly nowMs?: number;
}

/**
 * - `no-timestamp`   the timestamp is missing or no number
 * - `stale`          signed more than five minutes away from now: replayed, or a clock is wrong
 * - `no-signature`   there is no `v1` signature
 * - `bad-signature`  none of the signatures fits: another secret, or something was changed on the way
 * - `malformed`      signed, and still not in Trunkline's form
 * - `unknown-type`   signed, and of a type that this version does not know: answer it with 501
 */
export type WebhookRefusal = 'no-timestamp' | 'stale' | 'no-signature' | 'bad-signature' | 'malformed' | 'unknown-type';

/** Told apart by `type`. */
export type WebhookEvent = UpstreamRequest | ConnectionEvent;

export type WebhookVerdict =
  | { readonly ok: true; readonly event: WebhookEvent }
  | { readonly ok: false; readonly reason: WebhookRefusal };

/** What a device asks. */
export class UpstreamRequest extends Message {
  readonly type = 'request';
  /** Unique per request; the same again is the same request replayed. */
  readonly id: string;
  readonly app: string;
  readonly device: string;
  /** User id of the device's token. */
  readonly uid: string | undefined;
  readonly business: string;
  readonly connectionId: string;
  readonly method: string;
  /** What is left for the answer; 0 when it is not said. */
  readonly deadlineMs: number;
  /** The payload's media type, `application/octet-stream` unless the device named one. */
  readonly contentType: string;

  /** @throws {MalformedWebhookError} */
  constructor(headers: HeaderMap, body: Uint8Array) {
    super(metadataOf(headers), body);
    if (attribute(headers, 'type') !== REQUEST_EVENT_TYPE) throw new MalformedWebhookError('ce-type is no request');
    this.id = attribute(headers, 'id');
    this.app = attribute(headers, 'app');
    this.device = attribute(headers, 'device');
    this.uid = headers['ce-uid'] === undefined ? undefined : attribute(headers, 'uid');
    this.business = attribute(headers, 'business');
    this.connectionId = attribute(headers, 'connection');
    this.method = attribute(headers, 'subject');
    this.deadlineMs = Number(headerValue(headers, 'ce-deadlinems')) || 0;
    this.contentType = headerValue(headers, 'content-type');
  }
}

/** A device has a connection on which this business is granted, or has it no more. Any 2xx is answer enough. */
export interface ConnectionEvent {
  readonly type: 'connected' | 'disconnected';
  /** Unique per event and the same at every attempt: one seen before is a repetition. */
  readonly id: string;
  readonly app: string;
  readonly device: string;
  /** User id of the device's token. */
  readonly uid: string | undefined;
  readonly business: string;
  readonly connectionId: string;
  /** Grows with every login of a device; what comes with a smaller number than the last one is old news. */
  readonly fence: number;
  /** When it happened, milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** Of a `disconnected`: the close code, 0 for a link that went without one, and its word, such as `replaced`. */
  readonly closeCode: number | undefined;
  readonly reason: string | undefined;
}

/** Never throws: whatever a stranger sends is a reason. */
export function verifyWebhook({ headers, body, secret, nowMs = Date.now() }: WebhookInput): WebhookVerdict {
  const timestamp = headerValue(headers, TIMESTAMP_HEADER);
  if (!/^\d{1,12}$/.test(timestamp)) return { ok: false, reason: 'no-timestamp' };
  if (Math.abs(nowMs - Number(timestamp) * 1000) > SIGNATURE_TOLERANCE_MS) return { ok: false, reason: 'stale' };
  const digests = signatureDigests(headerValue(headers, SIGNATURE_HEADER));
  if (digests.length === 0) return { ok: false, reason: 'no-signature' };
  const text = canonicalText(headers, createHash('sha256').update(body).digest('hex'));
  const isSigned = [secret].flat().some((key) => fits(text, key, digests));
  return isSigned ? parsed(headers, body) : { ok: false, reason: 'bad-signature' };
}

/**
 * The parts of a request or an event. On its own it proves nothing: `verifyWebhook` does both.
 *
 * @returns undefined when it is of a type that this version does not know
 * @throws {MalformedWebhookError} an attribute is missing or not in its form
 */
export function parseWebhook(headers: HeaderMap, body: Uint8Array): WebhookEvent | undefined {
  switch (attribute(headers, 'type')) {
    case REQUEST_EVENT_TYPE:
      return new UpstreamRequest(headers, body);
    case CONNECTED_EVENT_TYPE:
      return parseConnectionEvent(headers, 'connected');
    case DISCONNECTED_EVENT_TYPE:
      return parseConnectionEvent(headers, 'disconnected');
    default:
      return undefined;
  }
}

/**
 * The parts of a request alone.
 *
 * @throws {MalformedWebhookError} not a request, or an attribute is missing or not in its form
 */
export function parseUpstreamRequest(headers: HeaderMap, body: Uint8Array): UpstreamRequest {
  return new UpstreamRequest(headers, body);
}

function parseConnectionEvent(headers: HeaderMap, type: ConnectionEvent['type']): ConnectionEvent {
  const isEnd = type === 'disconnected';
  return {
    type,
    id: attribute(headers, 'id'),
    app: attribute(headers, 'app'),
    device: attribute(headers, 'device'),
    uid: headers['ce-uid'] === undefined ? undefined : attribute(headers, 'uid'),
    business: attribute(headers, 'business'),
    connectionId: attribute(headers, 'connection'),
    fence: wholeNumber(headers, 'fence'),
    atMs: moment(headers),
    closeCode: isEnd ? wholeNumber(headers, 'closecode') : undefined,
    reason: isEnd ? attribute(headers, 'reason') : undefined,
  };
}

function parsed(headers: HeaderMap, body: Uint8Array): WebhookVerdict {
  try {
    const event = parseWebhook(headers, body);
    return event === undefined ? { ok: false, reason: 'unknown-type' } : { ok: true, event };
  } catch {
    return { ok: false, reason: 'malformed' };
  }
}

/** Both sides are 32 bytes, whatever was sent. */
function fits(text: string, secret: string, digests: readonly string[]): boolean {
  const expected = createHmac('sha256', secret).update(text).digest();
  return digests.some((digest) => timingSafeEqual(expected, Buffer.from(digest, 'hex')));
}

function attribute(headers: HeaderMap, name: string): string {
  const text = decodeHeaderValue(headerValue(headers, `ce-${name}`));
  if (!text) throw new MalformedWebhookError(`ce-${name} is missing or not percent-encoded UTF-8`);
  return text;
}

function wholeNumber(headers: HeaderMap, name: string): number {
  const text = attribute(headers, name);
  if (!/^\d{1,16}$/.test(text)) throw new MalformedWebhookError(`ce-${name} is no whole number`);
  return Number(text);
}

function moment(headers: HeaderMap): number {
  const ms = Date.parse(attribute(headers, 'time'));
  if (Number.isNaN(ms)) throw new MalformedWebhookError('ce-time is no time');
  return ms;
}

function metadataOf(headers: HeaderMap): StringMap {
  // No prototype: a key such as `constructor` is data like any other.
  const metadata: Record<string, string> = Object.create(null);
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(META_PREFIX)) continue;
    const value = decodeHeaderValue(headerValue(headers, name));
    if (value === undefined) throw new MalformedWebhookError(`${name} is not percent-encoded UTF-8`);
    metadata[name.slice(META_PREFIX.length)] = value;
  }
  return metadata;
}
