/**
 * The keys that sign device tokens. The file whose name sorts last signs, all are published. A name is chosen by whoever
 * adds the key and survives copies and backups, which a modification time does not; the files made here start with the
 * date, so the newest signs.
 *
 * A rotation has an order that leaves no gap, whenever the process ends in between:
 *
 * ```
 * new file ─► published and handed to every verifier ─► signs ─► the old one's last token expires ─► old file removed
 * ```
 *
 * @see docs/control.md, "Keys"
 */
import type { KeyObject } from 'node:crypto';
import { InvalidKeyError } from './errors.js';
import { ensureSecretDir } from './secret-file.js';
import {
  createKeyFile,
  keyDir,
  type LoadedKey,
  listKeyFiles,
  loadKeyFile,
  type PublicJwk,
  removeKeyFile,
} from './signing-key-files.js';
import { SigningRecord } from './signing-record.js';

/** The document at `/.well-known/jwks.json`; it crosses threads as it is. */
export interface PublicJwks {
  readonly keys: readonly PublicJwk[];
}

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

export interface Rotation {
  /** Signs from now on. */
  readonly kid: string;
  readonly previousKid: string;
  /** When the previous key's last token is over and its file is removed; milliseconds since 1970. */
  readonly previousEndsMs: number;
}

export interface SigningKeysOptions {
  /** The longest life that the configuration gives a token, in case tokens are out that this node has no record of. */
  readonly longestLifeMs?: number;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
}

/** A key of this node, as others are told of it. */
export interface OwnKey {
  readonly jwk: PublicJwk;
  /** When its last token is over; `undefined` while it signs, or may sign after a restart. Milliseconds since 1970. */
  readonly endsMs: number | undefined;
}

/** Resolves when every verifier accepts tokens of these keys. */
export type DistributeKeys = (jwks: PublicJwks) => Promise<void>;

export class SigningKeys {
  readonly #dir: string;
  readonly #record: SigningRecord;
  readonly #now: () => number;
  #keys: readonly LoadedKey[];
  #current: LoadedKey;
  /** Public keys of other nodes. */
  #others: readonly PublicJwk[] = [];
  #jwks: PublicJwks;
  #rotating: Promise<Rotation> | undefined;

  private constructor(
    dir: string,
    record: SigningRecord,
    keys: readonly LoadedKey[],
    current: LoadedKey,
    now: () => number,
  ) {
    this.#dir = dir;
    this.#record = record;
    this.#now = now;
    this.#keys = keys;
    this.#current = current;
    this.#jwks = published(keys, []);
  }

  /**
   * Loads every key; makes the directory (mode 0700) and a first key when there is none. Keys whose last token is over
   * are removed.
   *
   * @throws {SecretExposedError} others than the owner may read a key, or add one
   * @throws {InvalidKeyError} a file holds something else than a private Ed25519 JWK with a `kid` of its own
   */
  static async open(dataDir: string, options: SigningKeysOptions = {}): Promise<SigningKeys> {
    const { longestLifeMs = 0, now = Date.now } = options;
    const dir = keyDir(dataDir);
    await ensureSecretDir(dir);
    const record = await SigningRecord.open(dataDir);
    await record.noteLife(longestLifeMs);
    let files = await listKeyFiles(dir);
    if (files.length === 0) {
      await createKeyFile(dir, now());
      // Not the one just made: another process may have started on the same empty directory.
      files = await listKeyFiles(dir);
    }
    const loaded = await Promise.all(files.map((file) => loadKeyFile(dir, file)));
    const kids = new Set(loaded.map((key) => key.publicJwk.kid));
    if (kids.size !== loaded.length) throw new InvalidKeyError(dir, 'two files hold keys with the same kid');
    const current = loaded.at(-1);
    if (current === undefined) throw new InvalidKeyError(dir, 'the keys vanished while they were read');
    const keys = new SigningKeys(dir, record, loaded, current, now);
    await keys.retire();
    return keys;
  }

  /** Signs every token. */
  get current(): SigningKey {
    const { publicJwk, privateKey } = this.#current;
    return { kid: publicJwk.kid, privateKey };
  }

  /** The longest life that any token has, of those this node knows of. */
  get longestLifeMs(): number {
    return this.#record.longestLifeMs;
  }

  /** When the next key is to be retired; `undefined` when none is. Milliseconds since 1970. */
  get nextRetirementMs(): number | undefined {
    const dates = this.#retiring().map(({ endsMs }) => endsMs);
    return dates.length === 0 ? undefined : Math.min(...dates);
  }

  /** A new object after every change. */
  publicJwks(): PublicJwks {
    return this.#jwks;
  }

  ownKeys(): OwnKey[] {
    const ends = new Map(this.#retiring().map(({ key, endsMs }) => [key, endsMs]));
    return this.#keys.map((key) => ({ jwk: key.publicJwk, endsMs: ends.get(key) }));
  }

  /** Publishes these keys of other nodes beside this one's from now on, and no others; they never sign here. */
  useOthers(jwks: readonly PublicJwk[]): void {
    this.#others = jwks;
    this.#jwks = published(this.#keys, jwks);
  }

  /** To be awaited before a token of this life is signed, so that its key is kept for as long. */
  noteLife(lifeMs: number): Promise<void> {
    return this.#record.noteLife(lifeMs);
  }

  /**
   * Lets a new key sign once every verifier knows it. A second call while one is under way is the same one; after one
   * that failed, the next takes up its key.
   *
   * @throws what `distribute` throws; the old key signs on, the new one is published
   */
  rotate(distribute: DistributeKeys): Promise<Rotation> {
    this.#rotating ??= this.#rotate(distribute).finally(() => {
      this.#rotating = undefined;
    });
    return this.#rotating;
  }

  /** Forgets keys whose last token is over, and removes their files. @returns their `kid`s */
  async retire(): Promise<string[]> {
    const nowMs = this.#now();
    const over = this.#retiring().filter(({ endsMs }) => endsMs <= nowMs);
    if (over.length === 0) return [];
    const kids = over.map(({ key }) => key.publicJwk.kid);
    this.#setKeys(this.#keys.filter((key) => !kids.includes(key.publicJwk.kid)));
    // Removed rather than set aside: what nobody needs can only leak.
    for (const { key } of over) await removeKeyFile(this.#dir, key.file);
    await this.#record.forget(kids);
    return kids;
  }

  async #rotate(distribute: DistributeKeys): Promise<Rotation> {
    const previous = this.#current;
    const next = this.#keys.at(-1) === previous ? await this.#addKey(previous) : (this.#keys.at(-1) as LoadedKey);
    // On record before the new key signs: should the process end now, the next start signs with the new one.
    await this.#noteEnd(previous);
    await distribute(this.#jwks);
    this.#current = next;
    const previousEndsMs = await this.#noteEnd(previous);
    return { kid: next.publicJwk.kid, previousKid: previous.publicJwk.kid, previousEndsMs };
  }

  async #addKey(previous: LoadedKey): Promise<LoadedKey> {
    const { file } = await createKeyFile(this.#dir, this.#now(), previous.file);
    const key = await loadKeyFile(this.#dir, file);
    this.#setKeys([...this.#keys, key]);
    return key;
  }

  async #noteEnd(key: LoadedKey): Promise<number> {
    const endsMs = this.#now() + this.#record.longestLifeMs;
    await this.#record.noteRetirement(key.publicJwk.kid, endsMs);
    return endsMs;
  }

  /** The key that signs stays, whatever the record says: a rotation may have failed after it was written. */
  #retiring(): { readonly key: LoadedKey; readonly endsMs: number }[] {
    return this.#keys.flatMap((key) => {
      const endsMs = this.#record.retirements[key.publicJwk.kid];
      return key === this.#current || endsMs === undefined ? [] : [{ key, endsMs }];
    });
  }

  #setKeys(keys: readonly LoadedKey[]): void {
    this.#keys = keys;
    this.#jwks = published(keys, this.#others);
  }
}

/** A `kid` that both have is this node's. */
function published(keys: readonly LoadedKey[], others: readonly PublicJwk[]): PublicJwks {
  const own = keys.map((key) => key.publicJwk);
  const kids = new Set(own.map(({ kid }) => kid));
  return Object.freeze({ keys: Object.freeze([...own, ...others.filter(({ kid }) => !kids.has(kid))]) });
}
