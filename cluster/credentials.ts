/**
 * Keys and revocations of a node in one place: opened before anything listens, kept the same in every access worker, and
 * what the control layer and the admin API call.
 */
import type { ActorRef } from '../actors/index.js';
import { type PublicJwks, type RevocationChange, type Rotation, SigningKeys } from '../tokens/index.js';
import type { Logger } from './logger.js';
import { type RevocationRequest, type RevocationResult, Revocations } from './revocations.js';
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

  private constructor(
    keys: SigningKeys,
    workers: WorkerCredentials,
    rotation: SigningRotation,
    revocations: Revocations,
  ) {
    this.keys = keys;
    this.#workers = workers;
    this.#rotation = rotation;
    this.#revocations = revocations;
  }

  /**
   * @throws {SecretExposedError} others than the owner may read a key or write a file of the data directory
   * @throws {InvalidKeyError}
   * @throws {InvalidRevocationsError}
   */
  static async open({ dataDir, log, longestLifeMs }: CredentialsOptions): Promise<Credentials> {
    const keys = await SigningKeys.open(dataDir, { longestLifeMs });
    const workers = new WorkerCredentials(log);
    const revocations = await Revocations.open({
      dataDir,
      longestLifeMs: () => keys.longestLifeMs,
      distribute: async (rules) => {
        const { replies } = await workers.tell<{ closed: number }>('revoke', { rules });
        return replies.reduce((sum, { closed }) => sum + closed, 0);
      },
    });
    return new Credentials(keys, workers, new SigningRotation(keys, workers, log), revocations);
  }

  /** Revocations in force. */
  get revocations(): number {
    return this.#revocations.size;
  }

  /**
   * Lets a new key sign, once every access worker knows it.
   *
   * @throws {KeysNotDistributedError} a worker hangs; the old key signs on
   */
  rotateKeys(): Promise<Rotation> {
    return this.#rotation.rotate();
  }

  /**
   * Refused at every access worker, and on the disk, when it resolves; live connections are closed with 4100.
   *
   * @throws {TooManyRevocationsError}
   */
  revoke(request: RevocationRequest): Promise<RevocationResult> {
    return this.#revocations.revoke(request);
  }

  /** @returns whether the device's identity was revoked */
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

  stop(): void {
    this.#rotation.stop();
  }
}
