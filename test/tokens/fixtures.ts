/** Real key directories and hand-made tokens for the tests of `tokens/` and `control/`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type JWTPayload, SignJWT } from 'jose';
import { type SigningKey, SigningKeys } from '../../tokens/index.js';

/** 2025-01-01, a whole second. */
export const NOW_MS = 1_735_689_600_000;
const NOW_S = NOW_MS / 1000;

/** An empty directory that the test's end removes. */
export async function dataDir(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'trunkline-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export async function signingKeys(t: ExecutionContext): Promise<SigningKeys> {
  return SigningKeys.open(await dataDir(t));
}

/** Claims that a verifier for the app `shop` accepts at `NOW_MS`. */
export const GOOD_CLAIMS: JWTPayload = {
  iss: 'trunkline',
  aud: 'shop',
  sub: 'device-1',
  iat: NOW_S,
  exp: NOW_S + 60,
  jti: 'j-1',
  biz: ['im', 'live'],
  grp: { live: ['room-*'] },
};

/** Signed by `key`, with the changes; a claim or parameter set to `undefined` is left out. */
export function forge(
  key: SigningKey,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new SignJWT({ ...GOOD_CLAIMS, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, ...header })
    .sign(key.privateKey);
}

export const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
