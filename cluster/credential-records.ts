/**
 * Revocations and keys as the records that nodes share through the engine, and back. What another node wrote is read as
 * strictly as a file: a record that is not in its form is left alone.
 *
 * | Key | Order | Holds |
 * |---|---|---|
 * | `token`, app, jti | its end | a token that was taken back |
 * | `device`, app, device id | its moment | what a device was issued up to then |
 * | `app`, app | its moment | what an app was issued up to then |
 * | `identity`, app, device id | when it was said, twice, and one for a revocation | revoked or lifted |
 * | `key`, kid, node | the hour it was said in, twice, and one when the key is to end | a public key of that node |
 * | `life` | the life | the longest life that a token was given, in milliseconds |
 */
import { isPublicJwk, LIFT_KEPT_MS, type OwnKey, type PublicJwk, type RevocationChange } from '../tokens/index.js';
import type { SharedRecord } from './engines/contract/index.js';
import { isRevocationChange } from './revocations-file.js';

/** A key of a node that says nothing any more is accepted for as long, beyond the longest life of a token. */
const KEY_KEPT_MS = 7 * 24 * 3_600_000;
/** How often a node says again that a key of its is in use. */
const KEY_SAID_MS = 3_600_000;

export interface SharedKey {
  readonly node: string;
  readonly jwk: PublicJwk;
  readonly untilMs: number;
}

export type Shared =
  | { readonly type: 'revocation'; readonly change: RevocationChange }
  | { readonly type: 'key'; readonly key: SharedKey }
  | { readonly type: 'life'; readonly lifeMs: number };

export function revocationRecord(change: RevocationChange): SharedRecord {
  const { app } = change;
  const value = JSON.stringify({ revocation: change });
  switch (change.kind) {
    case 'token':
      return { key: keyOf('token', app, change.jti), order: change.untilMs, value, untilMs: change.untilMs };
    case 'device':
      return { key: keyOf('device', app, change.deviceId), order: change.beforeMs, value, untilMs: change.untilMs };
    case 'app':
      return { key: keyOf('app', app), order: change.beforeMs, value, untilMs: change.untilMs };
    case 'identity':
      return { key: keyOf('identity', app, change.deviceId), order: (change.atMs ?? 0) * 2 + 1, value, untilMs: 0 };
    case 'lift': {
      const { deviceId, atMs } = change;
      return { key: keyOf('identity', app, deviceId), order: atMs * 2, value, untilMs: atMs + LIFT_KEPT_MS };
    }
  }
}

/** @param node its configured name: a restart says nothing new */
export function keyRecord(node: string, { jwk, endsMs }: OwnKey, longestLifeMs: number, nowMs: number): SharedRecord {
  const saidMs = nowMs - (nowMs % KEY_SAID_MS);
  const untilMs = endsMs ?? saidMs + longestLifeMs + KEY_KEPT_MS;
  const order = saidMs * 2 + (endsMs === undefined ? 0 : 1);
  return { key: keyOf('key', jwk.kid, node), order, value: JSON.stringify({ key: { node, jwk, untilMs } }), untilMs };
}

export function lifeRecord(lifeMs: number): SharedRecord {
  return { key: keyOf('life'), order: lifeMs, value: JSON.stringify({ lifeMs }), untilMs: 0 };
}

/** @returns `undefined` when it is not in its form, or newer than this version */
export function readShared({ value }: SharedRecord): Shared | undefined {
  const { revocation, key, lifeMs } = parse(value);
  if (isRevocationChange(revocation)) return { type: 'revocation', change: revocation };
  if (isSharedKey(key)) return { type: 'key', key };
  return Number.isSafeInteger(lifeMs) ? { type: 'life', lifeMs: lifeMs as number } : undefined;
}

function isSharedKey(key: unknown): key is SharedKey {
  if (typeof key !== 'object' || key === null) return false;
  const { node, jwk, untilMs } = key as Record<string, unknown>;
  return typeof node === 'string' && Number.isSafeInteger(untilMs) && isPublicJwk(jwk);
}

function parse(value: string): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(value);
    return typeof content === 'object' && content !== null ? (content as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
