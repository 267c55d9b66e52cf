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
  TokenTooLargeError,
} from './errors.js';
export { createSigningKey, type PublicJwk, type PublicJwks, type SigningKey, SigningKeys } from './signing-keys.js';
export { type IssuedToken, TokenIssuer, type TokenIssuerOptions, type TokenRequest } from './token-issuer.js';
export {
  createTokenVerifier,
  DEFAULT_CACHED_TOKENS,
  DEFAULT_CLOCK_TOLERANCE_MS,
  type SyncTokenVerifier,
  type TokenVerifierOptions,
} from './token-verifier.js';
