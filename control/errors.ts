/**
 * What the control layer refuses, each with its HTTP status. The details go to the caller: they say which rule was
 * met and hold no secret.
 *
 * @see docs/control.md, "Trust"; docs/errors.md
 */
import { RevocationNotSpreadError, TooManyRevocationsError } from '../cluster/index.js';
import { ProblemError } from '../http/index.js';

/** Seconds a client waits for a node; its balancer may know another control layer. */
const RETRY_AFTER_S = '2';

export class UnknownAppError extends ProblemError {
  constructor() {
    super(404, 'TRK_UNKNOWN_APP', 'this service knows no such app');
  }
}

/** The page's origin is not one that the app lists. */
export class OriginNotAllowedError extends ProblemError {
  constructor() {
    super(403, 'TRK_ORIGIN_NOT_ALLOWED', 'the app does not list this origin');
  }
}

/** A device id without the secret that was handed out with it. */
export class DeviceNotProvenError extends ProblemError {
  constructor() {
    super(
      403,
      'TRK_DEVICE_NOT_PROVEN',
      'this device id needs the secret it was handed out with; an id of your own choice needs an assertion',
    );
  }
}

/** Grants that the app's back-end may not give: an unknown business, another app's, groups of one not granted. */
export class NotGrantableError extends ProblemError {
  constructor(detail: string) {
    super(403, 'TRK_NOT_GRANTABLE', detail);
  }
}

/** The key is good, for another app. The bridge says the same word of its keys. */
export class AppNotServedError extends ProblemError {
  constructor(subject: string, app: string) {
    super(403, 'TRK_APP_NOT_SERVED', `the key of ${subject} does not reach app ${JSON.stringify(app)}`);
  }
}

/** No node takes clients where this one may go. Why is told on the private listener only: strangers read this one. */
export class NotReadyError extends ProblemError {
  constructor() {
    super(503, 'TRK_NOT_READY', 'no node takes devices now', {
      headers: { 'retry-after': RETRY_AFTER_S },
    });
  }
}

/** The app's back-end or an operator took this identity back. */
export class DeviceRevokedError extends ProblemError {
  constructor() {
    super(403, 'TRK_DEVICE_REVOKED', 'this device id was revoked and gets no token until that is lifted');
  }
}

/** More tokens or bootstraps than the app's configuration allows for now. */
export class RateLimitedError extends ProblemError {
  constructor(what: string, waitMs: number) {
    super(429, 'TRK_RATE_LIMITED', `${what}: wait and ask again`, {
      headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
    });
  }
}

/** Nodes take clients, in no protocol that this one speaks. */
export class NoAccessPointError extends ProblemError {
  constructor() {
    super(503, 'TRK_NO_ACCESS_POINT', 'no node offers a protocol that the client speaks', {
      headers: { 'retry-after': RETRY_AFTER_S },
    });
  }
}

/** @returns why a revocation was refused, or is not known to every node, as a problem; other errors stay as they are */
export function revocationRefusal(error: unknown): unknown {
  if (error instanceof TooManyRevocationsError) {
    return new ProblemError(409, error.code, error.message, { cause: error });
  }
  if (!(error instanceof RevocationNotSpreadError)) return error;
  return new ProblemError(503, error.code, error.message, { cause: error, headers: { 'retry-after': '1' } });
}
