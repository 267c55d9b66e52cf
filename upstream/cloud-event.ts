/**
 * A call as a signed CloudEvent in binary mode: the header list undici takes. The canonical text is written down in
 * its sorted order as the headers are made, instead of sorting them for every request; a test holds it equal to
 * what `canonicalText` makes of the headers a back-end received.
 *
 * @see protocol/webhook.ts
 */
import { randomBytes } from 'node:crypto';
import {
  CANONICAL_VERSION,
  CE_SPEC_VERSION,
  deviceSource,
  encodeHeaderValue,
  REQUEST_EVENT_TYPE,
  SIGNATURE_HEADER,
  TIMESTAMP_HEADER,
} from '../protocol/index.js';
import type { UpstreamCall } from './options.js';
import type { RequestMetadata } from './request-metadata.js';
import { bodyDigest, Signer } from './signature.js';

export interface CloudEventOptions {
  readonly business: string;
  readonly signingSecret: string;
}

export class CloudEventWriter {
  readonly #signer: Signer;
  readonly #business: string;
  /** Random per client, so that no two clients, nodes or restarts make the same id. */
  readonly #idPrefix = randomBytes(12).toString('base64url');
  #serial = 0;
  #timeMs = Number.NaN;
  #time = '';

  constructor(options: CloudEventOptions) {
    this.#signer = new Signer(options.signingSecret);
    this.#business = encodeHeaderValue(options.business);
  }

  /**
   * @param nowMs Unix time, the moment of signing
   * @param deadlineMs what is left for the exchange
   * @returns name, value, name, value...
   */
  write(call: UpstreamCall, metadata: RequestMetadata, nowMs: number, deadlineMs: number): string[] {
    const { app, deviceId } = call.device;
    const id = `${this.#idPrefix}.${(this.#serial++).toString(36)}`;
    const timestamp = String(Math.floor(nowMs / 1000));
    const time = this.#rfc3339(nowMs);
    const ceApp = encodeHeaderValue(app);
    const ceConnection = encodeHeaderValue(call.connectionId);
    const ceDevice = encodeHeaderValue(deviceId);
    const ceSource = encodeHeaderValue(deviceSource(app, deviceId));
    const ceSubject = encodeHeaderValue(call.method);
    // CloudEvents knows no empty attribute: none, and none that is signed.
    const ceUid = encodeHeaderValue(call.uid ?? '');
    const text =
      `${CANONICAL_VERSION}\n${timestamp}\n${id}\nce-app:${ceApp}\nce-business:${this.#business}\n` +
      `ce-connection:${ceConnection}\nce-deadlinems:${deadlineMs}\nce-device:${ceDevice}\nce-id:${id}\n` +
      `ce-source:${ceSource}\nce-specversion:${CE_SPEC_VERSION}\nce-subject:${ceSubject}\nce-time:${time}\n` +
      `ce-type:${REQUEST_EVENT_TYPE}\n${ceUid === '' ? '' : `ce-uid:${ceUid}\n`}${metadata.canonicalLines}` +
      `content-type:${metadata.contentType}\n${bodyDigest(call.payload)}`;
    // biome-ignore format: a header a line
    const headers = [
      'ce-specversion', CE_SPEC_VERSION,
      'ce-id', id,
      'ce-source', ceSource,
      'ce-type', REQUEST_EVENT_TYPE,
      'ce-subject', ceSubject,
      'ce-time', time,
      'ce-app', ceApp,
      'ce-device', ceDevice,
      'ce-connection', ceConnection,
      'ce-business', this.#business,
      'ce-deadlinems', String(deadlineMs),
      'content-type', metadata.contentType,
      TIMESTAMP_HEADER, timestamp,
      SIGNATURE_HEADER, this.#signer.sign(text),
    ];
    if (ceUid !== '') headers.push('ce-uid', ceUid);
    if (metadata.headers.length > 0) headers.push(...metadata.headers);
    return headers;
  }

  /** Many requests share a millisecond when it matters. */
  #rfc3339(nowMs: number): string {
    const wholeMs = Math.floor(nowMs);
    if (wholeMs !== this.#timeMs) {
      this.#timeMs = wholeMs;
      this.#time = new Date(wholeMs).toISOString();
    }
    return this.#time;
  }
}
