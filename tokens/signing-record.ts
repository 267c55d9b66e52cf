/**
 * What a node must remember about its signing beyond a restart: the longest life it ever gave a token, and when the
 * keys that no longer sign may be forgotten. In `<dataDir>/signing.json`, written before what it speaks of happens.
 *
 * The longest life only grows: a configuration that was shortened says nothing about tokens that are out already.
 */
import { join } from 'node:path';
import { InvalidKeyError } from './errors.js';
import { readSecretFile, replaceSecretFile } from './secret-file.js';

const RECORD_FILE = 'signing.json';

interface Content {
  readonly longestLifeMs: number;
  /** By `kid`: when the last token it signed is over. */
  readonly retirements: Readonly<Record<string, number>>;
}

export class SigningRecord {
  readonly #path: string;
  #content: Content;
  /** Writes follow each other, so that the last state is the one that stays. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, content: Content) {
    this.#path = path;
    this.#content = content;
  }

  /** @throws {InvalidKeyError} the file is not in its form; without it a key could be forgotten too early */
  static async open(dataDir: string): Promise<SigningRecord> {
    const path = join(dataDir, RECORD_FILE);
    const text = await readSecretFile(path);
    return new SigningRecord(path, text === undefined ? { longestLifeMs: 0, retirements: {} } : parse(path, text));
  }

  get longestLifeMs(): number {
    return this.#content.longestLifeMs;
  }

  get retirements(): Readonly<Record<string, number>> {
    return this.#content.retirements;
  }

  /** Resolves when a life of `lifeMs` is on record; at once when it is already. */
  async noteLife(lifeMs: number): Promise<void> {
    if (lifeMs <= this.#content.longestLifeMs) return;
    await this.#write({ ...this.#content, longestLifeMs: Math.ceil(lifeMs) });
  }

  /** Replaces the date of one key. */
  async noteRetirement(kid: string, endsMs: number): Promise<void> {
    await this.#write({ ...this.#content, retirements: { ...this.#content.retirements, [kid]: endsMs } });
  }

  async forget(kids: readonly string[]): Promise<void> {
    const left = Object.entries(this.#content.retirements).filter(([kid]) => !kids.includes(kid));
    await this.#write({ ...this.#content, retirements: Object.fromEntries(left) });
  }

  #write(content: Content): Promise<void> {
    this.#content = content;
    const writing = this.#writing
      .catch(() => {})
      .then(() => replaceSecretFile(this.#path, `${JSON.stringify(content)}\n`));
    this.#writing = writing;
    return writing;
  }
}

function parse(path: string, text: string): Content {
  try {
    const { longestLifeMs, retirements } = JSON.parse(text) as Record<string, unknown>;
    if (typeof longestLifeMs === 'number' && isDates(retirements)) return { longestLifeMs, retirements };
  } catch {
    // Falls through.
  }
  throw new InvalidKeyError(path, 'is not a record of this service: {"longestLifeMs":...,"retirements":{...}}');
}

function isDates(value: unknown): value is Record<string, number> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every((date) => typeof date === 'number');
}
