/**
 * Judges device tokens inside the access workers, without a call to anyone: the keys came with the worker.
 *
 * Parsing is `jose`'s; the signature is checked by `node:crypto`, at once and on this thread. `jose` goes through
 * WebCrypto: a promise chain and a trip to the thread pool that all workers share. On one core of the reference machine
 * with Node 24 that took 139 to 172 µs of CPU a token; this takes 96 to 115, of which the bare signature is 88 to 96, and
 * 1.4 for a token seen before. A login's whole budget is 330 µs.
 *
 * Algorithms cannot be confused. The header chooses nothing: `alg` must read EdDSA, a key is an Ed25519 key or the
 * constructor refuses it, and an Ed25519 key object does Ed25519 only.
 *
 * @see docs/control.md, "Tokens"
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { MAX_TOKEN_BYTES } from '../protocol/index.js';
import {
  type DeviceClaims,
  type Grants,
  type RawClaims,
  readBusinesses,
  readGroups,
  readIdentity,
  readTime,
  readTokenId,
  SERVICE_NAME,
  type TokenVerifier,
} from './claims.js';
import { InvalidKeyError, InvalidTokenError, TokenExpiredError, TokenRevokedError } from './errors.js';
import { RevocationTable } from './revocation-table.js';
import type { PublicJwks } from './signing-keys.js';
import { TokenCache } from './token-cache.js';

export const DEFAULT_CACHED_TOKENS = 50_000;
export const DEFAULT_CLOCK_TOLERANCE_MS = 10_000;

/** Distinct grants that are shared between the claims of devices; most tokens of an app say the same. */
const MAX_SHARED_GRANTS = 1_000;

/** Three parts in base64url; an Ed25519 signature has 64 bytes. Plain ASCII, so bytes and characters agree. */
const TOKEN_FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$/;

export interface TokenVerifierOptions {
  /** Every key that may have signed; plain JSON. */
  readonly jwks: PublicJwks;
  /** Names of the apps whose tokens are accepted. */
  readonly apps: readonly string[];
  /** What was taken back; asked for every token, remembered ones too. Nothing by default. */
  readonly revocations?: RevocationTable;
  /** Verified tokens kept; default 50,000, 0 keeps none. */
  readonly cachedTokens?: number;
  /** How far ahead `iat` and `nbf` may lie; default 10 s. Expiry is exact. */
  readonly clockToleranceMs?: number;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
}

/** A verifier that answers without promises. */
export interface SyncTokenVerifier extends TokenVerifier {
  verify(token: string): DeviceClaims;
  /** Accepts tokens of these apps from now on, and no others. */
  useApps(apps: readonly string[]): void;
  /**
   * Accepts tokens of these keys from now on, and no others.
   *
   * @throws {InvalidKeyError} one is not an Ed25519 key with a `kid`; the keys stay as they were
   */
  useKeys(jwks: PublicJwks): void;
}

/** @throws {InvalidKeyError} a published key is not an Ed25519 key with a `kid` */
export function createTokenVerifier(options: TokenVerifierOptions): SyncTokenVerifier {
  return new JwtVerifier(options);
}

class JwtVerifier implements SyncTokenVerifier {
  #keys: ReadonlyMap<string, KeyObject>;
  #apps: ReadonlyMap<string, string>;
  readonly #revocations: RevocationTable;
  readonly #cache: TokenCache;
  readonly #toleranceMs: number;
  readonly #now: () => number;
  readonly #sharedGrants = new Map<string, Grants>();

  constructor(options: TokenVerifierOptions) {
    this.#keys = importKeys(options.jwks);
    this.#apps = byName(options.apps);
    this.#revocations = options.revocations ?? new RevocationTable();
    this.#cache = new TokenCache(options.cachedTokens ?? DEFAULT_CACHED_TOKENS);
    this.#toleranceMs = options.clockToleranceMs ?? DEFAULT_CLOCK_TOLERANCE_MS;
    this.#now = options.now ?? Date.now;
  }

  verify(token: string): DeviceClaims {
    // Before anything is spent on a stranger's text.
    if (token.length > MAX_TOKEN_BYTES) throw reject(`longer than ${MAX_TOKEN_BYTES} bytes`);
    const key = TokenCache.key(token);
    const known = this.#cache.get(key);
    const claims = known ?? this.#judge(token);
    if (claims.expiresAtMs <= this.#now()) {
      this.#cache.delete(key);
      throw new TokenExpiredError(claims.expiresAtMs);
    }
    if (this.#revocations.isRevoked(claims)) throw new TokenRevokedError();
    if (known === undefined) this.#cache.set(key, claims);
    return claims;
  }

  useApps(apps: readonly string[]): void {
    this.#apps = byName(apps);
    this.#cache.clear();
  }

  useKeys(jwks: PublicJwks): void {
    const before = this.#keys;
    this.#keys = importKeys(jwks);
    // What a key that is gone once signed may be remembered still.
    if ([...before.keys()].some((kid) => !this.#keys.has(kid))) this.#cache.clear();
  }

  /** Everything but the expiry. */
  #judge(token: string): DeviceClaims {
    if (!TOKEN_FORM.test(token)) throw reject('not a signed JWT');
    this.#checkSignature(token);
    const raw = decode(() => decodeJwt(token));
    const app = typeof raw['aud'] === 'string' ? this.#apps.get(raw['aud']) : undefined;
    if (app === undefined) throw reject('aud is not an app of this service');
    if (raw['iss'] !== SERVICE_NAME) throw reject(`iss is not ${SERVICE_NAME}`);
    const { deviceId, uid } = readIdentity(raw, reject);
    const { businesses, groups } = this.#readGrants(raw);
    const issuedAtMs = this.#readStart(raw, 'iat');
    if (raw['nbf'] !== undefined) this.#readStart(raw, 'nbf');
    const expiresAtMs = readTime(raw, 'exp', reject);
    return { app, deviceId, uid, businesses, groups, jti: readTokenId(raw, reject), issuedAtMs, expiresAtMs };
  }

  #checkSignature(token: string): void {
    const { alg, kid, crit, b64 } = decode(() => decodeProtectedHeader(token));
    if (alg !== 'EdDSA') throw reject('alg is not EdDSA');
    if (crit !== undefined || b64 !== undefined) throw reject('the header asks for extensions');
    const key = kid === undefined ? undefined : this.#keys.get(kid);
    if (key === undefined) throw reject('kid names no key of this service');
    const end = token.lastIndexOf('.');
    const signature = Buffer.from(token.slice(end + 1), 'base64url');
    if (!verify(null, Buffer.from(token.slice(0, end), 'latin1'), key, signature)) throw reject('wrong signature');
  }

  /** A moment that must have come. */
  #readStart(raw: RawClaims, claim: 'iat' | 'nbf'): number {
    const startMs = readTime(raw, claim, reject);
    if (startMs > this.#now() + this.#toleranceMs) throw reject(`${claim} lies ahead`);
    return startMs;
  }

  #readGrants(raw: RawClaims): Grants {
    const form = JSON.stringify([raw['biz'], raw['grp']]);
    const shared = this.#sharedGrants.get(form);
    if (shared !== undefined) return shared;
    const businesses = readBusinesses(raw['biz'], reject);
    const groups = readGroups(raw['grp'], reject);
    if (Object.keys(groups).some((name) => !businesses.includes(name))) {
      throw reject('grp names a business that biz does not');
    }
    const grants = Object.freeze({ businesses, groups });
    if (this.#sharedGrants.size >= MAX_SHARED_GRANTS) this.#sharedGrants.clear();
    this.#sharedGrants.set(form, grants);
    return grants;
  }
}

/** A look-up that also yields one string per app, however many tokens name it. */
const byName = (apps: readonly string[]): ReadonlyMap<string, string> => new Map(apps.map((app) => [app, app]));

function importKeys({ keys }: PublicJwks): ReadonlyMap<string, KeyObject> {
  const imported = new Map<string, KeyObject>();
  for (const { kty, crv, x, kid } of keys) {
    if (kty !== 'OKP' || crv !== 'Ed25519' || typeof kid !== 'string') {
      throw new InvalidKeyError('jwks', 'holds a key that is not an Ed25519 key with a kid');
    }
    try {
      imported.set(kid, createPublicKey({ key: { kty, crv, x }, format: 'jwk' }));
    } catch {
      throw new InvalidKeyError('jwks', `the key ${kid} is not an Ed25519 key`);
    }
  }
  return imported;
}

function decode<T>(decoder: () => T): T {
  try {
    return decoder();
  } catch {
    throw reject('header or claims are not JSON objects');
  }
}

const reject = (detail: string) => new InvalidTokenError(detail);
