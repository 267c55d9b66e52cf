/**
 * Revocations across restarts: `<dataDir>/revocations.json`, replaced whole. A file that cannot be read stops the start,
 * because a node that forgot what was taken back would let it in again.
 */
import { join } from 'node:path';
import { TrunklineError } from '../protocol/index.js';
import { ensureSecretDir, type RevocationChange, readSecretFile, replaceSecretFile } from '../tokens/index.js';

const FILE = 'revocations.json';
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** `revocations.json` does not hold what it should. */
export class InvalidRevocationsError extends TrunklineError {
  readonly code = 'TRK_INVALID_REVOCATIONS';
  constructor(
    readonly path: string,
    readonly detail: string,
  ) {
    super(`${path}: ${detail}: restore it, or remove it to let in what it takes back`);
  }
}

export class RevocationsFile {
  readonly #path: string;
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(dataDir: string) {
    this.#path = join(dataDir, FILE);
  }

  /**
   * @throws {InvalidRevocationsError}
   * @throws {SecretExposedError} others than the owner may write it
   */
  async read(): Promise<RevocationChange[]> {
    const text = await readSecretFile(this.#path, MAX_FILE_BYTES);
    if (text === undefined) return [];
    const rules = parse(text);
    if (rules === undefined) throw new InvalidRevocationsError(this.#path, 'is not {"rules":[...]}');
    const wrong = rules.findIndex((rule) => !isRevocationChange(rule));
    if (wrong !== -1) throw new InvalidRevocationsError(this.#path, `rules[${wrong}] is not a rule`);
    return rules as RevocationChange[];
  }

  /**
   * Resolves when what `rules` yields, at this moment or later, is on the disk. Many changes at once are one write.
   */
  write(rules: () => readonly RevocationChange[]): Promise<void> {
    this.#next ??= Promise.resolve(this.#writing)
      .catch(() => {})
      .then(async () => {
        this.#next = undefined;
        this.#writing = this.#replace(rules());
        await this.#writing;
      });
    return this.#next;
  }

  async #replace(rules: readonly RevocationChange[]): Promise<void> {
    await ensureSecretDir(join(this.#path, '..'));
    await replaceSecretFile(this.#path, `${JSON.stringify({ rules })}\n`);
  }
}

function parse(text: string): unknown[] | undefined {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content !== 'object' || content === null || !('rules' in content)) return undefined;
    return Array.isArray(content.rules) ? content.rules : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it has the form of a rule, or of a lift. */
export function isRevocationChange(rule: unknown): rule is RevocationChange {
  if (typeof rule !== 'object' || rule === null) return false;
  const { kind, app, jti, deviceId, beforeMs, untilMs, atMs } = rule as Record<string, unknown>;
  if (typeof app !== 'string') return false;
  const hasEnd = Number.isSafeInteger(untilMs);
  switch (kind) {
    case 'token':
      return typeof jti === 'string' && hasEnd;
    case 'device':
      return typeof deviceId === 'string' && Number.isSafeInteger(beforeMs) && hasEnd;
    case 'app':
      return Number.isSafeInteger(beforeMs) && hasEnd;
    case 'identity':
      return typeof deviceId === 'string' && (atMs === undefined || Number.isSafeInteger(atMs));
    case 'lift':
      return typeof deviceId === 'string' && Number.isSafeInteger(atMs);
    default:
      return false;
  }
}
