/**
 * What operators set, of a service of one node: in memory, and in `<dataDir>/control.json`, which is replaced whole at each
 * change, so that a restart forgets nothing that was answered.
 */
import { join } from 'node:path';
import { ensureSecretDir, readSecretFile, replaceSecretFile } from '../../../tokens/index.js';
import {
  type ControlState,
  ControlStateFullError,
  InvalidControlStateError,
  MAX_CONTROL_TEXTS,
} from '../contract/index.js';

const FILE = 'control.json';
const MAX_FILE_BYTES = 4 * 1024 * 1024;

export class EmbeddedControlState implements ControlState {
  readonly #dataDir: string | undefined;
  readonly #listeners = new Set<() => void>();
  #texts: ReadonlyMap<string, string> | undefined;
  /** Writes follow each other; each begins with what the one before has kept. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param dataDir in memory alone when undefined */
  constructor(dataDir: string | undefined) {
    this.#dataDir = dataDir;
  }

  /**
   * @throws {InvalidControlStateError}
   * @throws {SecretExposedError} others than the owner may write the file
   */
  async read(): Promise<ReadonlyMap<string, string>> {
    this.#texts ??= await this.#load();
    return this.#texts;
  }

  write(name: string, text: string | undefined): Promise<void> {
    const written = this.#last.then(() => this.#write(name, text));
    this.#last = written.catch(() => {});
    return written;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #write(name: string, text: string | undefined): Promise<void> {
    const texts = new Map(await this.read());
    if (text === undefined) texts.delete(name);
    else texts.set(name, text);
    if (texts.size > MAX_CONTROL_TEXTS) throw new ControlStateFullError(MAX_CONTROL_TEXTS);
    if (this.#dataDir !== undefined) {
      await ensureSecretDir(this.#dataDir);
      await replaceSecretFile(this.#path(this.#dataDir), `${JSON.stringify({ texts: Object.fromEntries(texts) })}\n`);
    }
    this.#texts = texts;
    for (const listener of this.#listeners) listener();
  }

  async #load(): Promise<ReadonlyMap<string, string>> {
    if (this.#dataDir === undefined) return new Map();
    const path = this.#path(this.#dataDir);
    const content = await readSecretFile(path, MAX_FILE_BYTES);
    return content === undefined ? new Map() : parse(content, path);
  }

  #path(dataDir: string): string {
    return join(dataDir, FILE);
  }
}

/** @throws {InvalidControlStateError} */
function parse(content: string, path: string): ReadonlyMap<string, string> {
  let texts: unknown;
  try {
    texts = (JSON.parse(content) as { texts?: unknown } | null)?.texts;
  } catch (error) {
    throw new InvalidControlStateError(path, { cause: error });
  }
  if (typeof texts !== 'object' || texts === null) throw new InvalidControlStateError(path);
  const entries = Object.entries(texts);
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    throw new InvalidControlStateError(path);
  }
  return new Map(entries);
}
