/**
 * A connection event as a signed CloudEvent in binary mode. Unlike a request it is told in attributes alone: there is
 * no body, so nothing has to be parsed to know what happened.
 *
 * Its id and time are those of the event, the same at every attempt; the signature's timestamp is the attempt's.
 *
 * @see docs/integration.md, "Connection events"
 */
import {
  CANONICAL_VERSION,
  CE_SPEC_VERSION,
  CONNECTED_EVENT_TYPE,
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

/**
 * The canonical text is written down in its sorted order as the headers are made, as `cloud-event.ts` does it; a test
 * holds it equal to what `canonicalText` makes of the headers a back-end received.
 *
 * @param business percent-encoded
 * @param nowMs Unix time, the moment of signing
 * @returns name, value, name, value...
 */
export function writeConnectionEvent(
  event: ConnectionEvent,
  business: string,
  signer: Signer,
  nowMs: number,
): string[] {
  const { app, deviceId, code = 0 } = event;
  const isEnd = event.type === 'disconnected';
  const type = isEnd ? DISCONNECTED_EVENT_TYPE : CONNECTED_EVENT_TYPE;
  const timestamp = String(Math.floor(nowMs / 1000));
  const id = encodeHeaderValue(eventId(event));
  const ceApp = encodeHeaderValue(app);
  const connection = encodeHeaderValue(event.connectionId);
  const device = encodeHeaderValue(deviceId);
  const source = encodeHeaderValue(deviceSource(app, deviceId));
  const reason = closeWord(code);
  const time = new Date(event.atMs).toISOString();
  // CloudEvents knows no empty attribute.
  const uid = encodeHeaderValue(event.uid ?? '');
  const text =
    `${CANONICAL_VERSION}\n${timestamp}\n${id}\nce-app:${ceApp}\nce-business:${business}\n` +
    `${isEnd ? `ce-closecode:${code}\n` : ''}ce-connection:${connection}\nce-device:${device}\n` +
    `ce-fence:${event.fence}\nce-id:${id}\n${isEnd ? `ce-reason:${reason}\n` : ''}ce-source:${source}\n` +
    `ce-specversion:${CE_SPEC_VERSION}\nce-time:${time}\nce-type:${type}\n${uid === '' ? '' : `ce-uid:${uid}\n`}` +
    `content-type:\n${EMPTY_BODY_DIGEST}`;
  // biome-ignore format: a header a line
  const headers = [
    'ce-specversion', CE_SPEC_VERSION,
    'ce-id', id,
    'ce-source', source,
    'ce-type', type,
    'ce-time', time,
    'ce-app', ceApp,
    'ce-device', device,
    'ce-connection', connection,
    'ce-business', business,
    'ce-fence', String(event.fence),
    TIMESTAMP_HEADER, timestamp,
    SIGNATURE_HEADER, signer.sign(text),
  ];
  if (uid !== '') headers.push('ce-uid', uid);
  if (isEnd) headers.push('ce-closecode', String(code), 'ce-reason', reason);
  return headers;
}
