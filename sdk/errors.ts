/**
 * What the client side throws. Match on `code`; `retryable` says whether waiting and trying again can help.
 *
 * @see docs/errors.md
 */
import { type ReconnectAdvice, Status, type StringMap, TrunklineError } from '../protocol/index.js';

/** A move between client states that the table does not know: a fault in the SDK itself. */
export class IllegalStateError extends TrunklineError {
  readonly code = 'TRK_ILLEGAL_STATE';
  constructor(
    readonly from: string,
    readonly to: string,
  ) {
    super(`no move from ${from} to ${to}`);
  }
}

/** An option is missing or not in its form; `field` names it. */
export class InvalidOptionError extends TrunklineError {
  readonly code = 'TRK_INVALID_OPTION';
  constructor(
    readonly field: string,
    readonly problem: string,
  ) {
    super(`option ${field}: ${problem}`);
  }
}

/** A name, metadata or payload that the protocol cannot carry; nothing was sent. */
export class InvalidArgumentError extends TrunklineError {
  readonly code = 'TRK_INVALID_ARGUMENT';
  readonly status: number = Status.invalidArgument;
  constructor(
    readonly field: string,
    readonly problem: string,
  ) {
    super(`${field}: ${problem}`);
  }
}

/** The frame would be longer than the server accepts; nothing was sent. */
export class PayloadTooLargeError extends TrunklineError {
  readonly code = 'TRK_PAYLOAD_TOO_LARGE';
  readonly status: number = Status.invalidArgument;
  constructor(
    readonly lengthBytes: number,
    readonly limitBytes: number,
  ) {
    super(`a frame of ${lengthBytes} bytes exceeds the ${limitBytes} that the server accepts`);
  }
}

/** The control layer refused the bootstrap, answered nonsense or was not reached. */
export class BootstrapError extends TrunklineError {
  readonly code = 'TRK_BOOTSTRAP_FAILED';
  override readonly retryable: boolean;
  /** HTTP status; undefined when no answer came. */
  readonly httpStatus: number | undefined;
  /** The problem's own code, such as `TRK_...`. */
  readonly problemCode: string | undefined;
  /** The answer's Retry-After. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: BootstrapFailure = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.httpStatus = details.httpStatus;
    this.problemCode = details.problemCode;
    this.retryAfterMs = details.retryAfterMs;
    this.retryable = details.retryable ?? false;
  }
}

export interface BootstrapFailure {
  readonly httpStatus?: number | undefined;
  readonly problemCode?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** No access point of the bootstrap speaks a protocol this client has a transport for. */
export class NoTransportError extends TrunklineError {
  readonly code = 'TRK_NO_TRANSPORT';
  constructor(readonly offered: readonly string[]) {
    super(`the access points speak ${offered.join(', ') || 'nothing'}; this client has no transport for that`);
  }
}

/** A QUIC link was asked for, and `@matrixai/quic` or its binary for this platform is not installed or does not load. */
export class QuicUnavailableError extends TrunklineError {
  readonly code = 'TRK_QUIC_UNAVAILABLE';
  constructor(cause: unknown) {
    super('QUIC needs the optional package @matrixai/quic and its binary for this platform', { cause });
  }
}

/** A link did not open, or the server refused the login. */
export class ConnectError extends TrunklineError {
  readonly code = 'TRK_CONNECT_FAILED';
  override readonly retryable: boolean;
  constructor(
    /** The close code of the refusal; undefined when the link itself failed. */
    readonly closeCode: number | undefined,
    readonly reason: string,
    readonly advice: ReconnectAdvice,
    cause?: unknown,
  ) {
    super(`not connected: ${reason}${closeCode === undefined ? '' : ` (${closeCode})`}`, { cause });
    this.retryable = advice !== 'stay-away';
  }
}

/** The link ended while the answer was awaited: the other side may have handled the request or not. */
export class ConnectionLostError extends TrunklineError {
  readonly code = 'TRK_CONNECTION_LOST';
  readonly status: number = Status.unavailable;
  override readonly retryable = true;
  constructor() {
    super('the connection ended before the answer came');
  }
}

/** The client is closed: by `close`, or because the server said to stay away (`closeCode`). */
export class ClientClosedError extends TrunklineError {
  readonly code = 'TRK_CLIENT_CLOSED';
  readonly status: number = Status.cancelled;
  constructor(
    readonly closeCode?: number | undefined,
    readonly reason: string = 'close was called',
  ) {
    super(`the client is closed: ${reason}${closeCode === undefined ? '' : ` (${closeCode})`}`);
  }
}

/** No answer within the request's deadline, whether it was still queued or already sent. */
export class DeadlineExceededError extends TrunklineError {
  readonly code = 'TRK_DEADLINE_EXCEEDED';
  readonly status: number = Status.deadlineExceeded;
  override readonly retryable = true;
  constructor(
    readonly deadlineMs: number,
    /** Whether it left this client. */
    readonly wasSent: boolean,
  ) {
    super(`no answer within ${deadlineMs} ms${wasSent ? '' : ', not even sent'}`);
  }
}

/** The caller's AbortSignal ended the request; `cause` is the signal's reason. */
export class RequestCancelledError extends TrunklineError {
  readonly code = 'TRK_REQUEST_CANCELLED';
  readonly status: number = Status.cancelled;
  constructor(cause: unknown) {
    super('the request was cancelled', { cause });
  }
}

/** As many requests wait to be sent as may. */
export class RequestQueueFullError extends TrunklineError {
  readonly code = 'TRK_REQUEST_QUEUE_FULL';
  readonly status: number = Status.resourceExhausted;
  override readonly retryable = true;
  constructor(readonly limit: number) {
    super(`${limit} requests wait to be sent already`);
  }
}

/** The token does not grant this business. */
export class BusinessNotGrantedError extends TrunklineError {
  readonly code = 'TRK_BUSINESS_NOT_GRANTED';
  readonly status: number = Status.permissionDenied;
  constructor(readonly business: string) {
    super(`business ${JSON.stringify(business)} is not granted to this device`);
  }
}

/** The other side answered with a status other than OK. */
export class RequestError extends TrunklineError {
  readonly code = 'TRK_REQUEST_FAILED';
  override readonly retryable: boolean;
  constructor(
    /** A `Status` (gRPC canonical code). */
    readonly status: number,
    readonly metadata: StringMap = {},
    readonly payload: Uint8Array = new Uint8Array(0),
  ) {
    super(`answered with status ${status}`);
    this.retryable = RETRYABLE.has(status);
  }
}

const RETRYABLE: ReadonlySet<number> = new Set([
  Status.deadlineExceeded,
  Status.resourceExhausted,
  Status.aborted,
  Status.unavailable,
]);
