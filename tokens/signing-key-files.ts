/**
 * Key files: one private Ed25519 JWK each, in `<dataDir>/keys/*.json`.
 *
 * @see docs/control.md, "Keys"
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { InvalidKeyError } from './errors.js';
import { createSecretFile, ensureSecretDir, readSecretFile } from './secret-file.js';

/** A public key as published; plain JSON. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}

/** Whether it can verify tokens, wherever it comes from. */
export function isPublicJwk(value: unknown): value is PublicJwk {
  if (typeof value !== 'object' || value === null) return false;
  const { kty, crv, x, kid, alg, use, ...rest } = value as Record<string, unknown>;
  if (kty !== 'OKP' || crv !== 'Ed25519' || alg !== 'EdDSA' || use !== 'sig') return false;
  if (typeof x !== 'string' || typeof kid !== 'string' || kid === '' || Object.keys(rest).length > 0) return false;
  try {
    createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

export interface LoadedKey {
  readonly file: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: PublicJwk;
}

export const keyDir = (dataDir: string) => join(dataDir, 'keys');

/** Adds a key that signs from the next start on. @returns its `kid`, the key's RFC 7638 thumbprint */
export async function createSigningKey(dataDir: string, nowMs: number = Date.now()): Promise<string> {
  const dir = keyDir(dataDir);
  await ensureSecretDir(dir);
  return (await createKeyFile(dir, nowMs)).kid;
}

/** @param after a file name that the new one must sort behind */
export async function createKeyFile(
  dir: string,
  nowMs: number,
  after = '',
): Promise<{ readonly file: string; readonly kid: string }> {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: String(jwk.x) });
  const date = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '');
  const name = `${date}-${kid.slice(0, 8)}.json`;
  // The last name signs; one that a person chose, or a clock that was ahead, may sort behind the date. An underscore
  // sorts behind the dot of `.json`.
  const file = name > after ? name : `${after.replace(/\.json$/, '')}_${name}`;
  await createSecretFile(join(dir, file), `${JSON.stringify({ ...jwk, kid })}\n`);
  return { file, kid };
}

/** Names of key files, in the order of their age. */
export async function listKeyFiles(dir: string): Promise<string[]> {
  const names = await readdir(dir);
  return names.filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
}

/** @throws {SecretExposedError} @throws {InvalidKeyError} */
export async function loadKeyFile(dir: string, file: string): Promise<LoadedKey> {
  const path = join(dir, file);
  const jwk = parseObject(path, (await readSecretFile(path)) ?? '');
  const { kty, crv, kid } = jwk;
  if (kty !== 'OKP' || crv !== 'Ed25519')
    throw new InvalidKeyError(path, 'is not an Ed25519 JWK (kty OKP, crv Ed25519)');
  if (typeof kid !== 'string' || kid === '') throw new InvalidKeyError(path, 'has no kid');
  const privateKey = importPrivate(path, jwk);
  // The half that is published comes from the half that signs, so that the two cannot disagree.
  const x = createPublicKey(privateKey).export({ format: 'jwk' }).x;
  if (x === undefined || x !== jwk['x']) throw new InvalidKeyError(path, 'x is not the public half of d');
  return { file, privateKey, publicJwk: Object.freeze({ kty, crv, x, kid, alg: 'EdDSA', use: 'sig' }) };
}

/** One that is gone already is as good. */
export async function removeKeyFile(dir: string, file: string): Promise<void> {
  await unlink(join(dir, file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

function parseObject(path: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Falls through: the parser's message quotes the file, which is a secret.
  }
  throw new InvalidKeyError(path, 'is not a JSON object');
}

function importPrivate(path: string, jwk: Record<string, unknown>): KeyObject {
  try {
    return createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new InvalidKeyError(path, 'holds no private Ed25519 key (d)');
  }
}
