/**
 * Keys and revocations of a node in one place: opened before anything listens, kept the same in every access worker and,
 * through the engine, in every node; and what the control layer and the admin API call.
 *
 * @see docs/decisions/0090-nodes-share-what-was-revoked.md; docs/decisions/0091-private-keys-stay-where-they-were-made.md
 */
import type { ActorRef } from '../actors/index.js';
import { type PublicJwks, type RevocationChange, type Rotation, SigningKeys } from '../tokens/index.js';
import type { Logger } from './logger.js';
import { type RevocationRequest, type RevocationResult, Revocations } from './revocations.js';
import { SharedCredentials, type ShareOptions } from './shared-credentials.js';
import { SigningRotation } from './signing-rotation.js';
import { WorkerCredentials } from './worker-credentials.js';

export interface CredentialsOptions {
  readonly dataDir: string;
  readonly log: Logger;
  /** The longest life that the configuration gives a token. */
  readonly longestLifeMs: number;
}

/** What a worker that starts is given. */
export interface StartingCredentials {
  readonly jwks: PublicJwks;
  readonly revocations: readonly RevocationChange[];
}

export class Credentials {
  readonly keys: SigningKeys;
  readonly #workers: WorkerCredentials;
  readonly #rotation: SigningRotation;
  readonly #revocations: Revocations;
  readonly #log: Logger;
  #shared: SharedCredentials | undefined;

  private constructor(
    keys: SigningKeys,
    workers: WorkerCredentials,
    rotation: SigningRotation,
    revocations: Revocations,
    log: Logger,
  ) {
    this.keys = keys;
    this.#workers = workers;
    this.#rotation = rotation;
    this.#revocations = revocations;
    this.#log = log;
  }

  /**
   * @throws {SecretExposedError} others than the owner may read a key or write a file of the data directory
   * @throws {InvalidKeyError}
   * @throws {InvalidRevocationsError}
   */
  static async open({ dataDir, log, longestLifeMs }: CredentialsOptions): Promise<Credentials> {
    const keys = await SigningKeys.open(dataDir, { longestLifeMs });
    const workers = new WorkerCredentials(log);
    let spread: ((changes: readonly RevocationChange[]) => Promise<void>) | undefined;
    const revocations = await Revocations.open({
      dataDir,
      longestLifeMs: () => keys.longestLifeMs,
      distribute: async (rules) => {
        const { replies } = await workers.tell<{ closed: number }>('revoke', { rules });
        return replies.reduce((sum, { closed }) => sum + closed, 0);
      },
      spread: async (changes) => spread?.(changes),
    });
    const credentials = new Credentials(keys, workers, new SigningRotation(keys, workers, log), revocations, log);
    spread = async (changes) => credentials.#shared?.spread(changes);
    return credentials;
  }

  /**
   * From now on all that the engine's nodes know is known to each of them. To be awaited before workers start.
   *
   * @throws {EngineUnavailableError}
   */
  async share(options: ShareOptions): Promise<void> {
    const shared = new SharedCredentials({
      ...options,
      keys: this.keys,
      revocations: this.#revocations,
      workers: this.#workers,
      log: this.#log,
    });
    await shared.start();
    this.#shared = shared;
    this.#rotation.shareWith(shared);
  }

  /** Revocations in force. */
  get revocations(): number {
    return this.#revocations.size;
  }

  /**
   * Lets a new key sign, once every access worker and every other node knows it.
   *
   * @throws {KeysNotDistributedError} one of them hangs, or the engine is away; the old key signs on
   */
  rotateKeys(): Promise<Rotation> {
    return this.#rotation.rotate();
  }

  /**
   * Refused at every access worker, on the disk, and told to the other nodes when it resolves; live connections are
   * closed with 4100.
   *
   * @throws {TooManyRevocationsError}
   * @throws {RevocationNotSpreadError} in force at this node alone; the others are told when the engine is back
   */
  revoke(request: RevocationRequest): Promise<RevocationResult> {
    return this.#revocations.revoke(request);
  }

  /** @returns whether the device's identity was revoked; @throws {RevocationNotSpreadError} */
  liftRevocation(app: string, deviceId: string): Promise<boolean> {
    return this.#revocations.lift(app, deviceId);
  }

  /** Whether this device gets no token. */
  isIdentityRevoked(app: string, deviceId: string): boolean {
    return this.#revocations.isIdentityRevoked(app, deviceId);
  }

  /** A worker's thread is there: it is told every change from now on. @returns what holds by now */
  attach(worker: number, ref: ActorRef): StartingCredentials {
    this.#workers.attach(worker, ref);
    return { jwks: this.keys.publicJwks(), revocations: this.#revocations.rules() };
  }

  detach(worker: number): void {
    this.#workers.detach(worker);
  }

  start(): void {
    this.#rotation.start();
  }

  async stop(): Promise<void> {
    this.#rotation.stop();
    await this.#shared?.stop();
  }
}
