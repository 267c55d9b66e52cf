/**
 * The keys that sign device tokens: one private Ed25519 JWK a file in `<dataDir>/keys/*.json`.
 *
 * The file whose name sorts last signs, all are published. A name is chosen by whoever adds the key and survives
 * copies and backups, which a modification time does not; the files made here start with the date, so the newest signs.
 *
 * @see docs/control.md, "Keys"
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readdir } from 'node:fs/promises';
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

/** The document at `/.well-known/jwks.json`; it crosses threads as it is. */
export interface PublicJwks {
  readonly keys: readonly PublicJwk[];
}

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

export class SigningKeys {
  readonly #jwks: PublicJwks;
  /** Signs every token. */
  readonly current: SigningKey;

  private constructor(keys: readonly LoadedKey[], current: LoadedKey) {
    this.#jwks = Object.freeze({ keys: Object.freeze(keys.map((key) => key.publicJwk)) });
    this.current = { kid: current.publicJwk.kid, privateKey: current.privateKey };
  }

  /**
   * Loads every key; makes the directory (mode 0700) and a first key when there is none.
   *
   * @throws {SecretExposedError} others than the owner may read a key, or add one
   * @throws {InvalidKeyError} a file holds something else than a private Ed25519 JWK with a `kid` of its own
   */
  static async open(dataDir: string): Promise<SigningKeys> {
    const dir = keyDir(dataDir);
    await ensureSecretDir(dir);
    let files = await keyFiles(dir);
    if (files.length === 0) {
      await createSigningKey(dataDir);
      files = await keyFiles(dir);
    }
    const keys = await Promise.all(files.map((file) => loadKey(join(dir, file))));
    const kids = new Set(keys.map((key) => key.publicJwk.kid));
    if (kids.size !== keys.length) throw new InvalidKeyError(dir, 'two files hold keys with the same kid');
    const current = keys.at(-1);
    if (current === undefined) throw new InvalidKeyError(dir, 'the keys vanished while they were read');
    return new SigningKeys(keys, current);
  }

  publicJwks(): PublicJwks {
    return this.#jwks;
  }
}

/** Adds a key that signs from the next start on. @returns its `kid`, the key's RFC 7638 thumbprint */
export async function createSigningKey(dataDir: string, nowMs: number = Date.now()): Promise<string> {
  const dir = keyDir(dataDir);
  await ensureSecretDir(dir);
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: String(jwk.x) });
  const date = new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '');
  await createSecretFile(join(dir, `${date}-${kid.slice(0, 8)}.json`), `${JSON.stringify({ ...jwk, kid })}\n`);
  return kid;
}

interface LoadedKey {
  readonly privateKey: KeyObject;
  readonly publicJwk: PublicJwk;
}

const keyDir = (dataDir: string) => join(dataDir, 'keys');

async function keyFiles(dir: string): Promise<string[]> {
  const names = await readdir(dir);
  return names.filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
}

async function loadKey(path: string): Promise<LoadedKey> {
  const jwk = parseObject(path, (await readSecretFile(path)) ?? '');
  const { kty, crv, kid } = jwk;
  if (kty !== 'OKP' || crv !== 'Ed25519')
    throw new InvalidKeyError(path, 'is not an Ed25519 JWK (kty OKP, crv Ed25519)');
  if (typeof kid !== 'string' || kid === '') throw new InvalidKeyError(path, 'has no kid');
  const privateKey = importPrivate(path, jwk);
  // The half that is published comes from the half that signs, so that the two cannot disagree.
  const x = createPublicKey(privateKey).export({ format: 'jwk' }).x;
  if (x === undefined || x !== jwk['x']) throw new InvalidKeyError(path, 'x is not the public half of d');
  return { privateKey, publicJwk: Object.freeze({ kty, crv, x, kid, alg: 'EdDSA', use: 'sig' }) };
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
