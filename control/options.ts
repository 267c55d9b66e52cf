/**
 * What the composition root builds once and hands to the control layer: the files behind it are opened before
 * anything listens, so that a wrong mode stops the start and not the first device.
 */
import type { DeviceSecrets, SigningKeys, TokenIssuer } from '../tokens/index.js';

export interface ControlOptions {
  readonly keys: SigningKeys;
  readonly issuer: TokenIssuer;
  readonly deviceSecrets: DeviceSecrets;
}
