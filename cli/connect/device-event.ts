/**
 * What a device on a terminal tells: one line each, as text for a person or as JSON for a script. Both say the same.
 */
import { isUtf8 } from 'node:buffer';
import { printable } from '../table.js';

export interface ShownPayload {
  /** When the bytes are UTF-8. */
  readonly payload?: string;
  /** When they are not. */
  readonly payloadBase64?: string;
}

export type DeviceEvent =
  | { readonly type: 'state'; readonly state: string }
  | {
      readonly type: 'online';
      readonly deviceId: string | undefined;
      readonly connectionId: string;
      readonly protocol: string;
      readonly accessPoint: string;
      readonly businesses: readonly string[];
    }
  | {
      readonly type: 'offline';
      readonly code: number | undefined;
      readonly reason: string;
      /** Absent when there will be none. */
      readonly nextAttemptMs: number | undefined;
    }
  | ({
      readonly type: 'push';
      readonly business: string;
      readonly messageId: string;
      readonly group?: string | undefined;
      readonly offset?: number | undefined;
      readonly metadata: Readonly<Record<string, string>>;
    } & ShownPayload)
  | ({
      /** From the business's back-end to this device. */
      readonly type: 'request';
      readonly business: string;
      readonly method: string;
      readonly metadata: Readonly<Record<string, string>>;
    } & ShownPayload)
  | ({
      readonly type: 'response';
      readonly business: string;
      readonly method: string;
      readonly status: number;
      readonly metadata: Readonly<Record<string, string>>;
    } & ShownPayload)
  | { readonly type: 'joined' | 'left'; readonly business: string; readonly group: string }
  | { readonly type: 'gap'; readonly business: string; readonly group: string; readonly dropped: number }
  | { readonly type: 'goaway'; readonly moveInMs: number }
  | { readonly type: 'error'; readonly code: string; readonly message: string }
  | { readonly type: 'info'; readonly message: string };

export function shownPayload(bytes: Uint8Array): ShownPayload {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? { payload: buffer.toString('utf8') } : { payloadBase64: buffer.toString('base64') };
}

/** One line; what strangers sent cannot steer the terminal. */
export function eventText(event: DeviceEvent): string {
  switch (event.type) {
    case 'state':
      return `-- ${event.state}`;
    case 'online': {
      const { deviceId = 'as the token says', protocol, accessPoint, businesses } = event;
      const granted = businesses.length === 0 ? 'no business' : businesses.join(', ');
      return `-- online: device ${printable(deviceId)}, ${protocol} ${accessPoint}, ${granted}`;
    }
    case 'offline': {
      const { code, reason, nextAttemptMs } = event;
      const next = nextAttemptMs === undefined ? 'stays away' : `again in ${(nextAttemptMs / 1000).toFixed(1)} s`;
      return `-- offline: ${printable(reason)}${code === undefined ? '' : ` (${code})`}, ${next}`;
    }
    case 'push': {
      const origin = event.group === undefined ? '' : ` [${printable(event.group)} #${event.offset}]`;
      return `${event.business}>${origin} ${payloadText(event)}${metadataText(event.metadata)}`;
    }
    case 'request':
      return `${event.business}? ${printable(event.method)} ${payloadText(event)}${metadataText(event.metadata)}`;
    case 'response':
      return `${event.business}: ${event.status} ${payloadText(event)}${metadataText(event.metadata)}`;
    case 'joined':
    case 'left':
      return `${event.business}: ${event.type} ${printable(event.group)}`;
    case 'gap': {
      const where = event.group === '' ? event.business : `${event.business} ${printable(event.group)}`;
      return `-- gap: ${where}, ${event.dropped} dropped`;
    }
    case 'goaway':
      return `-- asked to move, in ${(event.moveInMs / 1000).toFixed(1)} s`;
    case 'error':
      return `!! ${printable(event.message)}`;
    case 'info':
      return event.message;
  }
}

function payloadText({ payload, payloadBase64 }: ShownPayload): string {
  return payload === undefined ? `base64:${payloadBase64}` : printable(payload);
}

function metadataText(metadata: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(metadata).map(([key, value]) => `${printable(key)}=${printable(value)}`);
  return pairs.length === 0 ? '' : ` {${pairs.join(', ')}}`;
}
