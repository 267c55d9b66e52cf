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

/** The node starts, drains or lost an access worker. */
export class NotReadyError extends ProblemError {
  constructor(reason: string) {
    super(503, 'TRK_NOT_READY', reason, { headers: { 'retry-after': '1' } });
  }
}
