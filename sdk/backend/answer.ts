/**
 * A back-end's answer to a device's request, as HTTP headers and body: the form Trunkline reads, without each
 * back-end encoding it anew.
 *
 * @see docs/integration.md, "Answering"
 */
import {
  DEFAULT_CONTENT_TYPE,
  encodeHeaderValue,
  isMetadataKey,
  META_PREFIX,
  STATUS_HEADER,
  Status,
  type StringMap,
} from '../../protocol/index.js';
import { InvalidArgumentError } from '../errors.js';
import { type PayloadInput, toBytes } from '../message.js';

export interface UpstreamAnswer {
  /** A `Status`, OK by default; what the device gets, whatever the HTTP status. */
  readonly status?: Status;
  /** Keys of `a-z`, `0-9` and `-`. */
  readonly metadata?: StringMap;
  readonly payload?: PayloadInput;
  /** `application/json` and the like; reaches the device as metadata `content-type`. */
  readonly contentType?: string;
}

/** @throws {InvalidArgumentError} a metadata key that no header can carry */
export function encodeUpstreamAnswer({ status = Status.ok, metadata = {}, payload, contentType }: UpstreamAnswer): {
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
} {
  const headers: Record<string, string> = {
    'content-type': contentType ?? DEFAULT_CONTENT_TYPE,
    [STATUS_HEADER]: String(status),
  };
  for (const [key, value] of Object.entries(metadata)) {
    if (!isMetadataKey(key)) throw new InvalidArgumentError('metadata', `${key} is not 1 to 64 of a-z, 0-9 and -`);
    headers[META_PREFIX + key] = encodeHeaderValue(value);
  }
  return { headers, body: toBytes(payload) };
}
