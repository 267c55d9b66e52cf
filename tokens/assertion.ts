/**
 * Assertions: by a short-lived HS256 JWT an app's back-end tells the control layer who a device is.
 *
 * Symmetric on purpose, unlike device tokens: one back-end and this service share the secret, and any JWT library
 * makes one in ten lines. The algorithm is fixed, so neither `none` nor a public key used as a secret gets through.
 * An assertion may be used again while it lasts; hence the five minutes.
 *
 * @see docs/control.md, "Assertions"
 */
import { errors, jwtVerify } from 'jose';
import { MAX_TOKEN_BYTES } from '../protocol/index.js';
import {
  type Grants,
  type Identity,
  type RawClaims,
  readBusinesses,
  readGroups,
  readIdentity,
  readTime,
  SERVICE_NAME,
} from './claims.js';
import { InvalidAssertionError } from './errors.js';

/** The furthest ahead that an assertion may expire. */
export const MAX_ASSERTION_LIFE_MS = 5 * 60_000;

/** What the back-end's clock may differ from ours. */
const CLOCK_TOLERANCE_MS = 10_000;

export interface AssertionCheck {
  readonly app: string;
  /** The app's `assertionSecret`. */
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** What the app's back-end says of a device. */
export interface Assertion extends Identity {
  /** `undefined` when it left the choice to the service. */
  readonly businesses: readonly string[] | undefined;
  readonly groups: Grants['groups'];
}

/** @throws {InvalidAssertionError} whatever is wrong with it */
export async function verifyAssertion(jwt: string, check: AssertionCheck): Promise<Assertion> {
  if (jwt.length > MAX_TOKEN_BYTES) throw reject(`longer than ${MAX_TOKEN_BYTES} bytes`);
  const claims = await verifySignature(jwt, check);
  if (readTime(claims, 'exp', reject) > check.nowMs + MAX_ASSERTION_LIFE_MS + CLOCK_TOLERANCE_MS) {
    throw reject('exp is more than five minutes ahead');
  }
  return {
    ...readIdentity(claims, reject),
    businesses: claims['biz'] === undefined ? undefined : readBusinesses(claims['biz'], reject),
    groups: readGroups(claims['grp'], reject),
  };
}

async function verifySignature(jwt: string, { app, secret, nowMs }: AssertionCheck): Promise<RawClaims> {
  try {
    const { payload } = await jwtVerify(jwt, Buffer.from(secret), {
      algorithms: ['HS256'],
      issuer: app,
      audience: SERVICE_NAME,
      requiredClaims: ['sub', 'exp'],
      clockTolerance: CLOCK_TOLERANCE_MS / 1000,
      currentDate: new Date(nowMs),
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw reject(error.message);
    throw error;
  }
}

const reject = (detail: string) => new InvalidAssertionError(detail);
