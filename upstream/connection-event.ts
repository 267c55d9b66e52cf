/**
 * A connection event as a signed CloudEvent in binary mode. Unlike a request it is told in attributes alone: there is
 * no body, so nothing has to be parsed to know what happened.
 *
 * Its id and time are those of the event, the same at every attempt; the signature's timestamp is the attempt's.
 *
 * @see docs/integration.md, "Connection events"
 */
import {
  CE_SPEC_VERSION,
  CONNECTED_EVENT_TYPE,
  canonicalText,
  closeWord,
  DISCONNECTED_EVENT_TYPE,
  deviceSource,
  encodeHeaderValue,
  SIGNATURE_HEADER,
  TIMESTAMP_HEADER,
} from '../protocol/index.js';
import { bodyDigest, type Signer } from './signature.js';

/** A device has a connection on which this business is granted, or has it no more. */
export interface ConnectionEvent {
  readonly type: 'connected' | 'disconnected';
  readonly app: string;
  readonly deviceId: string;
  readonly uid?: string | undefined;
  /** Printable connection id. */
  readonly connectionId: string;
  /** Grows with every login of a device: the higher number is the later login. */
  readonly fence: number;
  /** When it happened, milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** Close code of a `disconnected`; 0 for a link that went without one. */
  readonly code?: number | undefined;
}

const EMPTY_BODY_DIGEST = bodyDigest(new Uint8Array(0));

/** The same for every attempt. One login of a device has one event of each type per business. */
export function eventId({ type, connectionId, fence }: ConnectionEvent): string {
  return `${connectionId}.${fence.toString(36)}.${type}`;
}

/** @param nowMs Unix time, the moment of signing */
export function writeConnectionEvent(
  event: ConnectionEvent,
  business: string,
  signer: Signer,
  nowMs: number,
): Record<string, string> {
  const { type, app, deviceId, uid, code = 0 } = event;
  const headers: Record<string, string> = {
    'ce-specversion': CE_SPEC_VERSION,
    'ce-id': encodeHeaderValue(eventId(event)),
    'ce-source': encodeHeaderValue(deviceSource(app, deviceId)),
    'ce-type': type === 'connected' ? CONNECTED_EVENT_TYPE : DISCONNECTED_EVENT_TYPE,
    'ce-time': new Date(event.atMs).toISOString(),
    'ce-app': encodeHeaderValue(app),
    'ce-device': encodeHeaderValue(deviceId),
    'ce-connection': encodeHeaderValue(event.connectionId),
    'ce-business': encodeHeaderValue(business),
    'ce-fence': String(event.fence),
  };
  // CloudEvents knows no empty attribute.
  if (uid) headers['ce-uid'] = encodeHeaderValue(uid);
  if (type === 'disconnected') {
    headers['ce-closecode'] = String(code);
    headers['ce-reason'] = closeWord(code);
  }
  headers[TIMESTAMP_HEADER] = String(Math.floor(nowMs / 1000));
  headers[SIGNATURE_HEADER] = signer.sign(canonicalText(headers, EMPTY_BODY_DIGEST));
  return headers;
}
