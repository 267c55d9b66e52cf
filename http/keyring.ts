/**
 * Which subject a presented key belongs to, for the price of one SHA-256 however many keys there are. Digests are
 * looked up by their first bytes, then compared in constant time; because they are salted with bytes that this process
 * drew and tells nobody, the time a look-up takes says nothing about any key.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { TrunklineError } from '../protocol/index.js';

/** Two subjects of one keyring have the same key, so nobody could say whose a request is. */
export class SharedKeyError extends TrunklineError {
  readonly code = 'TRK_SHARED_KEY';
  constructor(
    readonly first: string,
    readonly second: string,
  ) {
    super(`${first} and ${second} have a key in common`);
  }
}

export interface Keyring {
  /** @returns the subject, or `undefined` for a key nobody has */
  find(presented: string): string | undefined;
}

/** The keyring that `current` yields at each look-up, for keys that change while the server runs. */
export function liveKeyring(current: () => Keyring): Keyring {
  return { find: (presented) => current().find(presented) };
}

interface Entry {
  readonly subject: string;
  readonly digest: Buffer;
}

/**
 * @param keys every subject's current keys; two during a rotation
 * @throws {SharedKeyError}
 */
export function createKeyring(keys: ReadonlyMap<string, readonly string[]>): Keyring {
  const salt = randomBytes(32).toString('base64');
  const buckets = new Map<number, Entry[]>();

  const digestOf = (key: string): Buffer => hash('sha256', salt + key, 'buffer');
  const holderOf = (digest: Buffer): string | undefined =>
    buckets.get(digest.readUInt32LE(0))?.find((entry) => timingSafeEqual(entry.digest, digest))?.subject;

  for (const [subject, subjectKeys] of keys) {
    for (const key of subjectKeys) {
      const digest = digestOf(key);
      const holder = holderOf(digest);
      if (holder !== undefined && holder !== subject) throw new SharedKeyError(holder, subject);
      const prefix = digest.readUInt32LE(0);
      buckets.set(prefix, [...(buckets.get(prefix) ?? []), { subject, digest }]);
    }
  }
  return { find: (presented) => holderOf(digestOf(presented)) };
}
