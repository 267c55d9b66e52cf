/**
 * What an app's back-end may give a device: businesses that serve the app, and groups of those. The same rule holds
 * for an assertion and for a token that the back-end asks for itself.
 */
import { ProblemError } from '../http/index.js';
import {
  type Grants,
  type IssuedToken,
  type TokenIssuer,
  type TokenRequest,
  TokenTooLargeError,
} from '../tokens/index.js';
import type { AppEntry } from './app-directory.js';
import { NotGrantableError } from './errors.js';

/**
 * @param wanted business names; all that serve the app when absent
 * @throws {NotGrantableError}
 */
export function grantsOf(app: AppEntry, wanted: readonly string[] | undefined, groups: Grants['groups']): Grants {
  const businesses = wanted ?? app.businesses;
  for (const name of businesses) {
    if (!app.businesses.includes(name)) {
      throw new NotGrantableError(`${JSON.stringify(name)} is not a business that serves this app`);
    }
  }
  for (const name of Object.keys(groups)) {
    if (!businesses.includes(name)) {
      throw new NotGrantableError(`groups are named for ${JSON.stringify(name)}, a business that is not granted`);
    }
  }
  return { businesses, groups };
}

/** @throws {ProblemError} 400 `TRK_TOKEN_TOO_LARGE`, the grants do not fit a token */
export async function issueToken(issuer: TokenIssuer, request: TokenRequest): Promise<IssuedToken> {
  try {
    return await issuer.issue(request);
  } catch (error) {
    if (!(error instanceof TokenTooLargeError)) throw error;
    throw new ProblemError(400, error.code, error.message, { cause: error });
  }
}
