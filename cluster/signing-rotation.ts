/**
 * Key rotation on a running node: hands new keys to every access worker before one signs, and takes old ones away when
 * their time has come.
 *
 * @see docs/control.md, "Keys"; docs/decisions/0031-key-rotation.md
 */
import { TrunklineError } from '../protocol/index.js';
import type { PublicJwks, Rotation, SigningKeys } from '../tokens/index.js';
import type { Logger } from './logger.js';
import type { WorkerCredentials } from './worker-credentials.js';

/** `setTimeout` takes no more than 24 days; looking once an hour is as good. */
const MAX_SLEEP_MS = 3_600_000;
const MIN_SLEEP_MS = 1_000;

/** An access worker, or another node, did not take the new keys: the old key signs on. */
export class KeysNotDistributedError extends TrunklineError {
  readonly code = 'TRK_KEYS_NOT_DISTRIBUTED';
  override readonly retryable = true;
  /** @param nodes names; of another node where neither is given: the engine that leads to them is away */
  constructor(
    readonly workers: readonly number[],
    readonly nodes: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    const slow = [
      ...workers.map((worker) => `access worker ${worker}`),
      ...nodes.map((name) => `node ${JSON.stringify(name)}`),
    ];
    const who = slow.length === 0 ? 'the other nodes cannot be told: Redis is away. They' : slow.join(', ');
    super(`${who} did not take the new key, so the old one signs on: try again`, options);
  }
}

/** Brings this node's public keys to the others. */
export interface KeySharing {
  /** Resolves when every other node accepts tokens of these. @throws {KeysNotDistributedError} */
  distribute(): Promise<void>;
  /** Tells them, some time. */
  tell(): void;
}

export class SigningRotation {
  readonly #keys: SigningKeys;
  readonly #workers: WorkerCredentials;
  readonly #log: Logger;
  #sharing: KeySharing | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(keys: SigningKeys, workers: WorkerCredentials, log: Logger) {
    this.#keys = keys;
    this.#workers = workers;
    this.#log = log;
  }

  /** There are other nodes from now on. */
  shareWith(sharing: KeySharing): void {
    this.#sharing = sharing;
  }

  /** @throws {KeysNotDistributedError} */
  async rotate(): Promise<Rotation> {
    const rotation = await this.#keys.rotate((jwks) => this.#distribute(jwks));
    const { kid, previousKid, previousEndsMs } = rotation;
    this.#log.info('signing key rotated', { kid, previousKid, previousEnds: new Date(previousEndsMs).toISOString() });
    this.start();
    // When the former one ends.
    this.#sharing?.tell();
    return rotation;
  }

  /** Retires keys when their time has come, from now on. */
  start(): void {
    clearTimeout(this.#timer);
    const dueMs = this.#keys.nextRetirementMs;
    if (dueMs === undefined) return;
    const sleepMs = Math.min(Math.max(dueMs - Date.now(), MIN_SLEEP_MS), MAX_SLEEP_MS);
    this.#timer = setTimeout(() => void this.#retire(), sleepMs).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async #retire(): Promise<void> {
    try {
      const kids = await this.#keys.retire();
      // A worker that hangs knows a key too many, whose tokens are over.
      if (kids.length > 0) await this.#workers.tell('useKeys', { jwks: this.#keys.publicJwks() });
      for (const kid of kids) this.#log.info('signing key retired', { kid });
    } catch (error) {
      this.#log.error('signing key could not be retired', { error: String(error) });
    }
    this.start();
  }

  async #distribute(jwks: PublicJwks): Promise<void> {
    const { silent } = await this.#workers.tell('useKeys', { jwks });
    if (silent.length > 0) throw new KeysNotDistributedError(silent);
    await this.#sharing?.distribute();
  }
}
