/**
 * What the bridge refuses beyond the form of a request.
 *
 * @see docs/errors.md
 */
import { ProblemError } from '../http/index.js';

/** The key is good, the app is not one it reaches. Also said of an app nobody configured, so that names cannot be probed. */
export class AppNotServedError extends ProblemError {
  constructor(subject: string, app: string) {
    super(403, 'TRK_APP_NOT_SERVED', `the key of ${subject} does not reach app ${JSON.stringify(app)}`);
  }
}

/** The message does not fit the frame limit that devices were told. */
export class PayloadTooLargeError extends ProblemError {
  constructor(
    readonly bytes: number,
    readonly limitBytes: number,
  ) {
    super(413, 'TRK_PAYLOAD_TOO_LARGE', `the message takes a frame of ${bytes} bytes, the limit is ${limitBytes}`);
  }
}

/** No group of that name in this business. */
export class NoSuchGroupError extends ProblemError {
  constructor(group: string) {
    super(404, 'TRK_GROUP_NOT_FOUND', `group ${JSON.stringify(group)} does not exist`);
  }
}

/** The key made as many requests as it may for now. */
export class RateLimitedError extends ProblemError {
  constructor(requestsPerSecond: number, retryAfterS: number) {
    super(429, 'TRK_RATE_LIMITED', `this key may make ${requestsPerSecond} requests a second; nothing was done`, {
      headers: { 'retry-after': String(retryAfterS) },
    });
  }
}

/** The idempotency key was used a moment ago for another request. */
export class IdempotencyMismatchError extends ProblemError {
  constructor() {
    super(422, 'TRK_IDEMPOTENCY_MISMATCH', 'this idempotency key belongs to another request; nothing was done');
  }
}

/** A line of a bulk push is longer than any message needs. */
export class LineTooLongError extends ProblemError {
  constructor(limitBytes: number) {
    super(413, 'TRK_LINE_TOO_LONG', `the line is longer than ${limitBytes} bytes`);
  }
}

/** A bulk push whose caller sends nothing and reads nothing. */
export class RequestStalledError extends ProblemError {
  constructor(idleMs: number) {
    super(408, 'TRK_REQUEST_TIMEOUT', `no line came for ${idleMs} ms`);
  }
}

/** A stream has no whole that could be remembered. */
export class BulkIdempotencyError extends ProblemError {
  constructor() {
    const detail = 'a bulk push is not repeated as a whole: give lines an idempotencyKey each';
    super(400, 'TRK_INVALID_REQUEST', `idempotency-key: ${detail}`, {
      errors: [{ in: 'header', field: 'idempotency-key', detail }],
    });
  }
}

/** The node starts, drains or lost an access worker. */
export class NotReadyError extends ProblemError {
  constructor(reason: string) {
    super(503, 'TRK_NOT_READY', reason, { headers: { 'retry-after': '1' } });
  }
}
