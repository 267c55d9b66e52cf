/**
 * A client's metadata as headers. It is checked when the call comes in, before it takes a place in the queue, and
 * it can only ever become `trunkline-meta-*` or the content type: a client must not be able to set a header that a
 * back-end believes comes from Trunkline or from a proxy.
 */
import {
  DEFAULT_CONTENT_TYPE,
  encodeHeaderValue,
  isMetadataKey,
  META_PREFIX,
  type StringMap,
} from '../protocol/index.js';

/** Names and values of a request's metadata together, encoded: half of what Node's HTTP server reads as headers. */
export const MAX_REQUEST_METADATA_BYTES = 8 * 1024;

/** RFC 9110, section 8.3.1, in printable ASCII: a type, a subtype, and parameters as they are. */
const CONTENT_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?: *;[ -~]*[!-~])?$/;
const CONTENT_TYPE_KEY = 'content-type';

export interface RequestMetadata {
  readonly contentType: string;
  /** Name, value, name, value...; names ascending. */
  readonly headers: readonly string[];
  /** The same as lines of the canonical text, each with its line feed. */
  readonly canonicalLines: string;
}

const NONE: RequestMetadata = Object.freeze({ contentType: DEFAULT_CONTENT_TYPE, headers: [], canonicalLines: '' });

/** @returns the headers, or a sentence that says why this metadata cannot travel */
export function encodeMetadata(metadata: StringMap): RequestMetadata | string {
  const keys = Object.keys(metadata);
  return keys.length === 0 ? NONE : encodeKeys(metadata, keys);
}

function encodeKeys(metadata: StringMap, keys: string[]): RequestMetadata | string {
  let contentType = DEFAULT_CONTENT_TYPE;
  let canonicalLines = '';
  const headers: string[] = [];
  for (const key of keys.sort()) {
    const value = metadata[key] as string;
    if (!isMetadataKey(key)) return 'a metadata key is not 1 to 64 of a-z, 0-9 and -';
    if (key === CONTENT_TYPE_KEY) {
      if (!CONTENT_TYPE.test(value)) return 'content-type is no media type';
      contentType = value;
      continue;
    }
    const encoded = encodeHeaderValue(value);
    headers.push(META_PREFIX + key, encoded);
    canonicalLines += `${META_PREFIX}${key}:${encoded}\n`;
  }
  if (canonicalLines.length + contentType.length > MAX_REQUEST_METADATA_BYTES) return 'metadata is too large';
  return { contentType, headers, canonicalLines };
}
