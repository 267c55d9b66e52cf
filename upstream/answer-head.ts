/**
 * What a back-end's answer says before its body: a status and metadata, nothing else of it reaches the device.
 *
 * An answer that breaks a rule becomes a fault, and the device gets INTERNAL: a header that was dropped in silence
 * would look to both sides as if it had never been sent.
 *
 * @see docs/integration.md, "Answering"
 */
import {
  decodeHeaderValue,
  type HeaderMap,
  headerValue,
  isMetadataKey,
  MAX_MAP_ENTRIES,
  MAX_MAP_VALUE_BYTES,
  META_PREFIX,
  STATUS_HEADER,
  type Status,
  type StringMap,
  utf8Length,
} from '../protocol/index.js';
import { parseStatus, statusOfHttp } from './status-mapping.js';

export interface AnswerHead {
  readonly status: Status;
  readonly metadata: StringMap;
}

/** A media type and its parameters: printable ASCII. */
const CONTENT_TYPE = /^[ -~]{1,256}$/;

/**
 * @param headers names in lower case, values as Latin-1 text
 * @param maxBytes what the body may have
 * @returns the head, or a sentence that says what is wrong with it
 */
export function readAnswerHead(httpStatus: number, headers: HeaderMap, maxBytes: number): AnswerHead | string {
  if (httpStatus >= 300 && httpStatus < 400) return 'the back-end redirects';
  if (Number(headers['content-length']) > maxBytes) return 'the answer is too large';
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return 'the answer is compressed';
  const metadata = readMetadata(headers);
  if (typeof metadata === 'string') return metadata;
  const explicit = headers[STATUS_HEADER];
  if (explicit === undefined) return { status: statusOfHttp(httpStatus), metadata };
  const status = parseStatus(headerValue(headers, STATUS_HEADER));
  return status === undefined ? 'trunkline-status is no status' : { status, metadata };
}

function readMetadata(headers: HeaderMap): StringMap | string {
  // No prototype: a key such as `constructor` is data like any other.
  const metadata: Record<string, string> = Object.create(null);
  let entries = 0;
  const contentType = headers['content-type'];
  if (contentType !== undefined) {
    if (typeof contentType !== 'string' || !CONTENT_TYPE.test(contentType)) return 'content-type is no media type';
    metadata['content-type'] = contentType;
    entries += 1;
  }
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(META_PREFIX)) continue;
    const key = name.slice(META_PREFIX.length);
    if (!isMetadataKey(key) || key in metadata) return 'a metadata key is not 1 to 64 of a-z, 0-9 and -';
    const value = decodeHeaderValue(headerValue(headers, name));
    if (value === undefined) return 'a metadata value is not percent-encoded UTF-8';
    if (utf8Length(value) > MAX_MAP_VALUE_BYTES || ++entries > MAX_MAP_ENTRIES) return 'the metadata is too large';
    metadata[key] = value;
  }
  return metadata;
}
