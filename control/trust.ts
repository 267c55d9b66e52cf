/**
 * Who a bootstrapping device is and what it gets. The bootstrap is open to the world, so the rules are few and each
 * proof stands alone:
 *
 * - an assertion of the app's back-end decides everything; an id or a secret beside it is not looked at
 * - else an id with the secret it was handed out with: the same id again, public businesses
 * - else nothing at all: a new id with its secret, public businesses
 *
 * An id that is only claimed is refused, never replaced by a new one: the client would not notice.
 *
 * @see docs/control.md, "Trust"
 */
import { ProblemError } from '../http/index.js';
import {
  type DeviceSecrets,
  type Grants,
  type Identity,
  InvalidAssertionError,
  newDeviceId,
  verifyAssertion,
} from '../tokens/index.js';
import type { AppEntry } from './app-directory.js';
import { DeviceNotProvenError } from './errors.js';
import { grantsOf } from './grants.js';

/** What a device shows. */
export interface Credentials {
  readonly deviceId?: string | undefined;
  readonly deviceSecret?: string | undefined;
  readonly assertion?: string | undefined;
}

export interface TrustDecision extends Identity, Grants {
  /** Only with an id that was made in this moment. */
  readonly deviceSecret: string | undefined;
}

const NO_GROUPS: Grants['groups'] = Object.freeze({});

/**
 * @throws {DeviceNotProvenError}
 * @throws {NotGrantableError} the assertion gives what its app may not
 * @throws {ProblemError} 403 `TRK_INVALID_ASSERTION`
 */
export async function decideTrust(
  app: AppEntry,
  credentials: Credentials,
  secrets: DeviceSecrets,
  nowMs: number,
): Promise<TrustDecision> {
  const { deviceId, deviceSecret, assertion } = credentials;
  if (assertion !== undefined) return decideByAssertion(app, assertion, nowMs);
  const unproven = { uid: undefined, businesses: app.publicBusinesses, groups: NO_GROUPS };
  if (deviceId === undefined && deviceSecret === undefined) {
    const newId = newDeviceId();
    return { ...unproven, deviceId: newId, deviceSecret: secrets.secretOf(app.name, newId) };
  }
  if (deviceId === undefined || deviceSecret === undefined || !secrets.verify(app.name, deviceId, deviceSecret)) {
    throw new DeviceNotProvenError();
  }
  return { ...unproven, deviceId, deviceSecret: undefined };
}

async function decideByAssertion(app: AppEntry, jwt: string, nowMs: number): Promise<TrustDecision> {
  const secret = app.config.assertionSecret;
  if (secret === undefined) throw refused(new InvalidAssertionError('this app has no assertionSecret'));
  try {
    const { deviceId, uid, businesses, groups } = await verifyAssertion(jwt, { app: app.name, secret, nowMs });
    return { deviceId, uid, deviceSecret: undefined, ...grantsOf(app, businesses, groups) };
  } catch (error) {
    throw error instanceof InvalidAssertionError ? refused(error) : error;
  }
}

const refused = (error: InvalidAssertionError) => new ProblemError(403, error.code, error.message, { cause: error });
