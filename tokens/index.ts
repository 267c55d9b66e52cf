export { type Assertion, type AssertionCheck, MAX_ASSERTION_LIFE_MS, verifyAssertion } from './assertion.js';
export {
  type DeviceClaims,
  type Grants,
  type Identity,
  MAX_GROUP_PATTERNS,
  SERVICE_NAME,
  type TokenVerifier,
} from './claims.js';
export { DeviceSecrets, newDeviceId } from './device-secrets.js';
export {
  InvalidAssertionError,
  InvalidKeyError,
  InvalidTokenError,
  SecretExposedError,
  TokenExpiredError,
  TokenRevokedError,
  TokenTooLargeError,
} from './errors.js';
export {
  LIFT_KEPT_MS,
  type RevocableClaims,
  type Revocation,
  type RevocationChange,
  type RevocationLift,
  RevocationTable,
} from './revocation-table.js';
export { ensureSecretDir, readSecretFile, replaceSecretFile } from './secret-file.js';
export { createSigningKey, isPublicJwk, type PublicJwk } from './signing-key-files.js';
export {
  type DistributeKeys,
  type OwnKey,
  type PublicJwks,
  type Rotation,
  type SigningKey,
  SigningKeys,
  type SigningKeysOptions,
} from './signing-keys.js';
export { type IssuedToken, TokenIssuer, type TokenIssuerOptions, type TokenRequest } from './token-issuer.js';
export {
  createTokenVerifier,
  DEFAULT_CACHED_TOKENS,
  DEFAULT_CLOCK_TOLERANCE_MS,
  type SyncTokenVerifier,
  type TokenVerifierOptions,
} from './token-verifier.js';
