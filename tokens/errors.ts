/**
 * What can be wrong with a token, an assertion or a key file. Messages name the fault and never quote the
 * token: they end in logs.
 *
 * @see docs/errors.md
 */
import { CloseCode, ProtocolError, TrunklineError } from '../protocol/index.js';

/** Not a token this service accepts: signature, algorithm, key, issuer, audience or the form of a claim. Closes with 4100. */
export class InvalidTokenError extends ProtocolError {
  readonly code = 'TRK_INVALID_TOKEN';
  readonly closeCode: number = CloseCode.invalidToken;
  constructor(readonly detail: string) {
    super(`invalid token: ${detail}`);
  }
}

/** The token was good once. Closes with 4101. */
export class TokenExpiredError extends ProtocolError {
  readonly code = 'TRK_TOKEN_EXPIRED';
  readonly closeCode: number = CloseCode.tokenExpired;
  constructor(readonly expiredAtMs: number) {
    super(`token expired at ${new Date(expiredAtMs).toISOString()}`);
  }
}

/** The token was taken back: itself, with its device, or with everything its app had issued. Closes with 4100. */
export class TokenRevokedError extends ProtocolError {
  readonly code = 'TRK_TOKEN_REVOKED';
  readonly closeCode: number = CloseCode.invalidToken;
  constructor() {
    super('token revoked');
  }
}

/** The claims asked for make a token longer than CONNECT carries. */
export class TokenTooLargeError extends TrunklineError {
  readonly code = 'TRK_TOKEN_TOO_LARGE';
  constructor(
    readonly lengthBytes: number,
    readonly limitBytes: number,
  ) {
    super(`the token would have ${lengthBytes} bytes, the limit is ${limitBytes}: name fewer groups, use patterns`);
  }
}

/** An app's back-end signed something that names no device here: signature, algorithm, time or the form of a claim. */
export class InvalidAssertionError extends TrunklineError {
  readonly code = 'TRK_INVALID_ASSERTION';
  constructor(readonly detail: string) {
    super(`invalid assertion: ${detail}`);
  }
}

/** A key is not what its file, or the published set, should hold. */
export class InvalidKeyError extends TrunklineError {
  readonly code = 'TRK_INVALID_KEY';
  constructor(
    readonly source: string,
    readonly detail: string,
  ) {
    super(`${source}: ${detail}`);
  }
}

/** Others than the owner may read a secret file, or write to the directory of keys. */
export class SecretExposedError extends TrunklineError {
  readonly code = 'TRK_SECRET_EXPOSED';
  constructor(
    readonly path: string,
    readonly mode: number,
    readonly wantedMode: number,
  ) {
    super(
      `${path} has mode ${octal(mode)} and must be its owner's alone: chmod ${octal(wantedMode)}, ` +
        'and replace what it holds if others may have read it',
    );
  }
}

const octal = (mode: number) => mode.toString(8).padStart(4, '0');
