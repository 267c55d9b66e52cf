/**
 * What an operator's routes need beyond the node's view and the router, each given by the composition root: the bridge
 * knows neither configuration files nor signing keys.
 */
import type { ReloadResult, RevocationRequest, RevocationResult, Rotation } from '../../cluster/index.js';

export interface AdminPorts {
  /**
   * Reads the configuration again and puts it in force. Absent in a node that was not started from a file.
   *
   * @throws {ConfigError | RestartNeededError | NodeNotRunningError} nothing has changed
   */
  readonly reload?: (() => Promise<ReloadResult>) | undefined;
  /**
   * Lets a new key sign device tokens, once every access worker knows it.
   *
   * @throws {KeysNotDistributedError} the old key signs on; worth another try
   */
  readonly rotateKeys?: (() => Promise<Rotation>) | undefined;
  /**
   * Takes tokens or a device of any app back; in force when it resolves.
   *
   * @throws {TooManyRevocationsError}
   */
  readonly revoke?: ((request: RevocationRequest) => Promise<RevocationResult>) | undefined;
  /** Lets a device whose identity was revoked have tokens again. @returns whether it was */
  readonly liftRevocation?: ((app: string, deviceId: string) => Promise<boolean>) | undefined;
}
