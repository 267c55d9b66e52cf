/**
 * What this node tells the others of its keys and revocations, and what becomes of what they tell: their revocations
 * are in force here, and tokens of their keys are accepted. Private keys are never told.
 */
import { EngineUnavailableError } from '../actors/index.js';
import type { RevocationChange, SigningKeys } from '../tokens/index.js';
import { keyRecord, lifeRecord, readShared, revocationRecord } from './credential-records.js';
import { CredentialsSync } from './credentials-sync.js';
import type { CredentialStore, NodeLease, SharedRecord } from './engines/contract/index.js';
import type { Logger } from './logger.js';
import { OtherKeys } from './other-keys.js';
import { RevocationNotSpreadError, type Revocations } from './revocations.js';
import { type KeySharing, KeysNotDistributedError } from './signing-rotation.js';
import type { WorkerCredentials } from './worker-credentials.js';

/** For the other nodes to take a new key: they look once a second at the latest. */
const KEYS_TAKEN_MS = 5_000;

export interface ShareOptions {
  readonly store: CredentialStore;
  /** This node's configured name. */
  readonly node: string;
  readonly incarnation: string;
  /** Every node that is not gone, this one included. */
  readonly nodes: () => readonly NodeLease[];
}

export interface SharedCredentialsOptions extends ShareOptions {
  readonly keys: SigningKeys;
  readonly revocations: Revocations;
  readonly workers: WorkerCredentials;
  readonly log: Logger;
}

export class SharedCredentials implements KeySharing {
  readonly #options: SharedCredentialsOptions;
  readonly #sync: CredentialsSync;
  readonly #others = new OtherKeys();

  constructor(options: SharedCredentialsOptions) {
    const { store, incarnation, log } = options;
    this.#options = options;
    this.#sync = new CredentialsSync({
      ...{ store, incarnation, log },
      own: () => this.#own(),
      apply: (records) => this.#apply(records),
      onLook: () => this.#useOthers(),
    });
  }

  /** Resolves when this node knows what the others know, and they can know its keys. @throws {EngineUnavailableError} */
  async start(): Promise<void> {
    await this.#sync.start();
    await this.distribute().catch((error) => {
      const entry = { error: error instanceof Error ? error.message : String(error) };
      this.#options.log.warn('not every node knows the keys of this one yet', entry);
    });
  }

  stop(): Promise<void> {
    return this.#sync.stop();
  }

  /** @throws {RevocationNotSpreadError} */
  async spread(changes: readonly RevocationChange[]): Promise<void> {
    try {
      await this.#sync.put(changes.map(revocationRecord));
    } catch (error) {
      if (error instanceof EngineUnavailableError) throw new RevocationNotSpreadError({ cause: error });
      throw error;
    }
  }

  async distribute(): Promise<void> {
    try {
      const mark = await this.#sync.put(this.#ownKeys());
      const left = await this.#sync.reached(
        mark,
        () => this.#peers().map(({ incarnation }) => incarnation),
        KEYS_TAKEN_MS,
      );
      if (left.length === 0) return;
      const slow = this.#peers().filter(({ incarnation }) => left.includes(incarnation));
      if (slow.length > 0)
        throw new KeysNotDistributedError(
          [],
          slow.map(({ name }) => name),
        );
    } catch (error) {
      if (error instanceof EngineUnavailableError) throw new KeysNotDistributedError([], [], { cause: error });
      throw error;
    }
  }

  tell(): void {
    this.#sync.put(this.#ownKeys()).catch(() => {
      // It is put when the engine is back.
    });
  }

  #peers() {
    const { nodes, incarnation } = this.#options;
    return nodes()
      .filter(({ leftMs }) => leftMs > 0)
      .map(({ record }) => record)
      .filter((record) => record.incarnation !== incarnation);
  }

  #own(): SharedRecord[] {
    const { keys, revocations } = this.#options;
    return [lifeRecord(keys.longestLifeMs), ...this.#ownKeys(), ...revocations.rules().map(revocationRecord)];
  }

  #ownKeys(): SharedRecord[] {
    const { keys, node } = this.#options;
    return keys.ownKeys().map((key) => keyRecord(node, key, keys.longestLifeMs, Date.now()));
  }

  async #apply(records: readonly SharedRecord[]): Promise<void> {
    const { keys, revocations } = this.#options;
    const changes: RevocationChange[] = [];
    for (const record of records) {
      const shared = readShared(record);
      if (shared?.type === 'revocation') changes.push(shared.change);
      else if (shared?.type === 'life') await keys.noteLife(shared.lifeMs);
      else if (shared?.type === 'key') this.#others.note(shared.key);
    }
    await revocations.merge(changes);
  }

  /** @throws {KeysNotDistributedError} a worker hangs; they are handed out again */
  async #useOthers(): Promise<void> {
    const { keys, workers, log } = this.#options;
    const changed = this.#others.changed(Date.now());
    if (changed === undefined) return;
    keys.useOthers(changed);
    const jwks = keys.publicJwks();
    const { silent } = await workers.tell('useKeys', { jwks });
    if (silent.length > 0) {
      this.#others.forgetPublished();
      throw new KeysNotDistributedError(silent);
    }
    const own = new Set(keys.ownKeys().map(({ jwk }) => jwk.kid));
    const kids = changed.map(({ kid }) => kid).filter((kid) => !own.has(kid));
    if (kids.length > 0) log.info('keys of other nodes are accepted', { kids });
  }
}
