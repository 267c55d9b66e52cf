/**
 * What the composition root builds once and hands to the control layer: the files behind it are opened before
 * anything listens, so that a wrong mode stops the start and not the first device.
 */
import type { Credentials } from '../cluster/index.js';
import type { DeviceSecrets, TokenIssuer } from '../tokens/index.js';
import type { Policies } from './policies/index.js';

export interface ControlOptions {
  /** Keys to publish, and identities that get no token. */
  readonly credentials: Credentials;
  readonly issuer: TokenIssuer;
  readonly deviceSecrets: DeviceSecrets;
  /** In force, for whoever asks. */
  readonly policies: Policies;
}
