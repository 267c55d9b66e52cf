/**
 * What a device token says, and how each claim must look. Tokens and assertions share the claims about grants,
 * so both are read here, strictly: a claim of the wrong form refuses the whole token, never just itself.
 *
 * `DeviceClaims` and `TokenVerifier` repeat the port in `actors/ports.ts`: this folder knows the protocol only.
 *
 * @see docs/control.md, "Tokens"
 */
import { MAX_BUSINESSES, MAX_DEVICE_ID_BYTES, MAX_NAME_BYTES, utf8Length } from '../protocol/index.js';

/** `iss` of every device token, `aud` of every assertion. */
export const SERVICE_NAME = 'trunkline';

/** Patterns one token may carry for one business; more do not fit a token anyway. */
export const MAX_GROUP_PATTERNS = 256;

/** Has no UTF-8 form: in bytes, two such ids would become one. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Which businesses, and which of their groups, a device may use. */
export interface Grants {
  /** Names of granted businesses. */
  readonly businesses: readonly string[];
  /** Per business name, the groups this device may join; `*` ends a prefix. Has no prototype. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** Who a device is: an id of 1 to 64 bytes, a user id of 1 to 128 bytes if the app told one. */
export interface Identity {
  readonly deviceId: string;
  readonly uid: string | undefined;
}

/** What a verified token says. */
export interface DeviceClaims extends Identity, Grants {
  readonly app: string;
  /** Different for every token; empty when the token has none. */
  readonly jti: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

export interface TokenVerifier {
  /**
   * @throws {InvalidTokenError} not acceptable
   * @throws {TokenExpiredError}
   */
  verify(token: string): DeviceClaims | Promise<DeviceClaims>;
}

/** The claims of a decoded JWT, nothing about them believed yet. */
export type RawClaims = Readonly<Record<string, unknown>>;

/** Makes the error of whoever reads: the token's or the assertion's. */
export type Reject = (detail: string) => Error;

/** @throws what `reject` makes, when `sub` or `uid` is not in its form */
export function readIdentity(claims: RawClaims, reject: Reject): Identity {
  const { sub, uid } = claims;
  if (!isText(sub, MAX_DEVICE_ID_BYTES)) throw reject(`sub is not a device id of 1 to ${MAX_DEVICE_ID_BYTES} bytes`);
  if (uid !== undefined && !isText(uid, MAX_NAME_BYTES)) {
    throw reject(`uid is not a text of 1 to ${MAX_NAME_BYTES} bytes`);
  }
  return { deviceId: sub, uid };
}

/** @throws what `reject` makes, when `jti` is there and not in its form */
export function readTokenId({ jti = '' }: RawClaims, reject: Reject): string {
  if (jti !== '' && !isText(jti, MAX_NAME_BYTES)) throw reject(`jti is not a text of at most ${MAX_NAME_BYTES} bytes`);
  return jti;
}

/**
 * `biz`, a list of business names without repetition.
 *
 * @throws what `reject` makes, when it is not
 */
export function readBusinesses(biz: unknown, reject: Reject): readonly string[] {
  if (!isTextList(biz, MAX_BUSINESSES)) throw reject(`biz is not a list of at most ${MAX_BUSINESSES} names`);
  if (new Set(biz).size !== biz.length) throw reject('biz names a business twice');
  return Object.freeze(biz);
}

/**
 * `grp`, a map of business names to group patterns; nothing when absent.
 *
 * @returns an object without a prototype, because a business may be called `constructor`
 * @throws what `reject` makes, when it is not such a map
 */
export function readGroups(grp: unknown, reject: Reject): Grants['groups'] {
  const groups: Record<string, readonly string[]> = Object.create(null);
  if (grp === undefined) return Object.freeze(groups);
  if (typeof grp !== 'object' || grp === null || Array.isArray(grp)) throw reject('grp is not a map');
  const entries: [string, unknown][] = Object.entries(grp);
  if (entries.length > MAX_BUSINESSES) throw reject(`grp names more than ${MAX_BUSINESSES} businesses`);
  for (const [business, patterns] of entries) {
    if (!isTextList(patterns, MAX_GROUP_PATTERNS)) throw reject('grp holds something else than lists of patterns');
    groups[business] = Object.freeze(patterns);
  }
  return Object.freeze(groups);
}

/** A point in time in whole or broken seconds since 1970, as JWTs have it. @returns milliseconds */
export function readTime(claims: RawClaims, claim: 'iat' | 'nbf' | 'exp', reject: Reject): number {
  const seconds = claims[claim];
  if (typeof seconds !== 'number' || seconds < 0 || !Number.isSafeInteger(Math.round(seconds * 1000))) {
    throw reject(`${claim} is not a time`);
  }
  return Math.round(seconds * 1000);
}

function isTextList(value: unknown, max: number): value is string[] {
  return Array.isArray(value) && value.length <= max && value.every((item) => isText(item, MAX_NAME_BYTES));
}

function isText(value: unknown, maxBytes: number): value is string {
  if (typeof value !== 'string' || value === '' || value.length > maxBytes) return false;
  return utf8Length(value) <= maxBytes && !LONE_SURROGATE.test(value);
}
