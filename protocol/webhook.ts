/**
 * The webhook: how a device's request or a connection event looks when a business's back-end gets it, and the text
 * that is signed. It lives beside the frames because both ends need it, the upstream client to sign and the back-end
 * SDK to verify.
 *
 * The canonical text is made of header values as they travel (still percent-encoded), so that a verifier needs no
 * decoder to check a signature and two decoders can never disagree about what was signed.
 *
 * @see docs/integration.md, "Verifying a request"
 */

/** Attributes of CloudEvents 1.0 binary mode; a header each. */
export const CE_PREFIX = 'ce-';
/** Metadata, both ways: `trunkline-meta-<key>`. */
export const META_PREFIX = 'trunkline-meta-';
/** Unix seconds at which the request was signed. */
export const TIMESTAMP_HEADER = 'trunkline-timestamp';
/** `v1=<hex>`; a verifier accepts several, separated by commas. */
export const SIGNATURE_HEADER = 'trunkline-signature';
/** In an answer: the `Status` (0 to 16) the device gets, whatever the HTTP status says. */
export const STATUS_HEADER = 'trunkline-status';

export const CE_SPEC_VERSION = '1.0';
/** `ce-type` of a device's request. */
export const REQUEST_EVENT_TYPE = 'trunkline.request.v1';
/** `ce-type` of the news that a device has a connection, or has none any more; it has no body and wants no answer. */
export const CONNECTED_EVENT_TYPE = 'trunkline.device.connected.v1';
export const DISCONNECTED_EVENT_TYPE = 'trunkline.device.disconnected.v1';
/** Unless the client's metadata has a `content-type`. */
export const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** First line of the canonical text. */
export const CANONICAL_VERSION = 'trunkline-webhook-v1';
/** A request whose timestamp is further from the verifier's clock than this, either way, is refused. */
export const SIGNATURE_TOLERANCE_MS = 5 * 60_000;

/** Keys that pass as headers; one client's key must not become another header. */
const METADATA_KEY = /^[a-z0-9-]{1,64}$/;
/** Printable ASCII that stands for itself in a header value: all but space, double quote and percent. */
const PLAIN_VALUE = /^[!#$&-~]*$/;
/** What needs an escape: each match is one character, or a run of them outside ASCII. */
const ESCAPED_CHARACTERS = /[^!#$&-~]+/g;
const LONE_SURROGATE = /\p{Surrogate}/gu;
const PRINTABLE = /^[ -~]*$/;
const DIGEST = /^v1=([0-9a-f]{64})$/;

/** Header names in lower case, as Node's `request.headers` has them; a list is one header that came more than once. */
export type HeaderMap = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whether `key` may travel as `trunkline-meta-<key>`: 1 to 64 of `a-z`, `0-9` and `-`. */
export function isMetadataKey(key: string): boolean {
  return METADATA_KEY.test(key);
}

/**
 * A text as an HTTP header value: UTF-8, percent-encoded where it is not printable ASCII, or is a space, a double
 * quote or a percent sign. A lone surrogate becomes U+FFFD.
 *
 * @see CloudEvents 1.0.2, HTTP protocol binding, section 3.1.3.2
 */
export function encodeHeaderValue(value: string): string {
  if (PLAIN_VALUE.test(value)) return value;
  return value.replace(LONE_SURROGATE, '\ufffd').replace(ESCAPED_CHARACTERS, encodeURIComponent);
}

/**
 * The text of a header value, the mirror of `encodeHeaderValue`; older senders' double-quoted form is read too.
 *
 * @returns undefined when the value has a byte outside printable ASCII, a `%` without two hex digits, an escape that
 *   is not UTF-8, or a quote that does not close
 */
export function decodeHeaderValue(value: string): string | undefined {
  if (PLAIN_VALUE.test(value)) return value;
  if (!PRINTABLE.test(value)) return undefined;
  const text = value.startsWith('"') ? unquote(value) : value;
  if (text === undefined || !text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function unquote(value: string): string | undefined {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value);
  return quoted?.[1]?.replace(/\\(.)/g, '$1');
}

/** The `ce-source` of a device, before header encoding: a URI reference whose segments are percent-encoded. */
export function deviceSource(app: string, deviceId: string): string {
  return `/trunkline/apps/${encodeSegment(app)}/devices/${encodeSegment(deviceId)}`;
}

function encodeSegment(text: string): string {
  return encodeURIComponent(text.replace(LONE_SURROGATE, '\ufffd'));
}

/**
 * The text whose HMAC-SHA-256 is the signature. Lines are joined by one line feed, without one at the end:
 *
 * ```
 * trunkline-webhook-v1
 * <trunkline-timestamp>
 * <ce-id>
 * <name>:<value>            every ce-* and trunkline-meta-* header, sorted by name, values as they travelled
 * content-type:<value>
 * <hex SHA-256 of the body>
 * ```
 *
 * A header that is missing counts as empty, one that came twice as its values joined by `, `; neither was signed,
 * so neither verifies.
 *
 * @param bodySha256Hex 64 lower-case hex digits
 */
export function canonicalText(headers: HeaderMap, bodySha256Hex: string): string {
  const lines = [CANONICAL_VERSION, headerValue(headers, TIMESTAMP_HEADER), headerValue(headers, 'ce-id')];
  // Names are ASCII, so the default order, by code unit, is the order of their bytes.
  for (const name of Object.keys(headers).filter(isSigned).sort()) lines.push(`${name}:${headerValue(headers, name)}`);
  lines.push(`content-type:${headerValue(headers, 'content-type')}`, bodySha256Hex);
  return lines.join('\n');
}

/** One header as text; empty when missing, joined by `, ` when it came more than once. */
export function headerValue(headers: HeaderMap, name: string): string {
  const value = headers[name];
  if (value === undefined) return '';
  return typeof value === 'string' ? value : value.join(', ');
}

/**
 * The `v1` digests of a signature header; unknown versions are skipped, so that a later one can travel beside it.
 *
 * @returns 64 lower-case hex digits each; empty when there is none
 */
export function signatureDigests(header: string): string[] {
  return header.split(',').flatMap((item) => DIGEST.exec(item.trim())?.[1] ?? []);
}

function isSigned(name: string): boolean {
  return name.startsWith(CE_PREFIX) || name.startsWith(META_PREFIX);
}
