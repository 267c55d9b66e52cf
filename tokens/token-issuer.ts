/**
 * Makes device tokens: JWTs signed with EdDSA by the newest key. Whether a device may have what a token grants is
 * decided before, in `control/`.
 *
 * @see docs/control.md, "Tokens"
 */
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { MAX_TOKEN_BYTES } from '../protocol/index.js';
import { type Grants, SERVICE_NAME } from './claims.js';
import { TokenTooLargeError } from './errors.js';
import type { SigningKeys } from './signing-keys.js';

const SECOND_MS = 1_000;

export interface TokenIssuerOptions {
  readonly keys: SigningKeys;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
}

export interface TokenRequest extends Grants {
  readonly app: string;
  readonly deviceId: string;
  readonly uid?: string | undefined;
  /** Rounded down to a moment in whole seconds, and never to nothing. */
  readonly ttlMs: number;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
  /** By which this one token can be revoked. */
  readonly jti: string;
}

export class TokenIssuer {
  readonly #keys: SigningKeys;
  readonly #now: () => number;

  constructor({ keys, now = Date.now }: TokenIssuerOptions) {
    this.#keys = keys;
    this.#now = now;
  }

  /** @throws {TokenTooLargeError} the grants do not fit a CONNECT frame */
  async issue({ app, deviceId, uid, businesses, groups, ttlMs }: TokenRequest): Promise<IssuedToken> {
    await this.#keys.noteLife(ttlMs + SECOND_MS);
    const { kid, privateKey } = this.#keys.current;
    const nowMs = this.#now();
    const expiresAt = Math.max(Math.floor(nowMs / SECOND_MS) + 1, Math.floor((nowMs + ttlMs) / SECOND_MS));
    const jti = randomUUID();
    const claims = { ...(uid === undefined ? {} : { uid }), biz: businesses, grp: groups };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid })
      .setIssuer(SERVICE_NAME)
      .setAudience(app)
      .setSubject(deviceId)
      // To the millisecond: a revocation of what was issued before now must not meet what is issued right after.
      .setIssuedAt(nowMs / SECOND_MS)
      .setExpirationTime(expiresAt)
      .setJti(jti)
      .sign(privateKey);
    if (token.length > MAX_TOKEN_BYTES) throw new TokenTooLargeError(token.length, MAX_TOKEN_BYTES);
    return { token, expiresAtMs: expiresAt * SECOND_MS, jti };
  }
}
