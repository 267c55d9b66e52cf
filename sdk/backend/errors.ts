/**
 * What the back-end client throws.
 *
 * @see docs/errors.md
 */
import { TrunklineError } from '../../protocol/index.js';

/** One wrong field of a request, as the bridge names it. */
export interface FieldProblem {
  readonly in: string;
  readonly field: string;
  readonly detail: string;
}

/**
 * The bridge refused the request. `code` is the problem's own, such as `TRK_OVERLOADED`; `TRK_BRIDGE_REFUSED` when
 * the answer was no problem document of the bridge.
 */
export class BridgeError extends TrunklineError {
  readonly code: string;
  override readonly retryable: boolean;

  constructor(
    /** HTTP status. */
    readonly status: number,
    code: string | undefined,
    readonly detail: string,
    /** The answer's Retry-After. */
    readonly retryAfterMs: number | undefined,
    /** When fields were wrong. */
    readonly errors: readonly FieldProblem[] = [],
  ) {
    super(`the bridge answered ${status}: ${detail}`);
    this.code = code ?? 'TRK_BRIDGE_REFUSED';
    this.retryable = status === 429 || status >= 500;
  }
}

/** No answer, or one that is not the bridge's: what was asked may have been done. */
export class BridgeUnreachableError extends TrunklineError {
  readonly code = 'TRK_BRIDGE_UNREACHABLE';
  override readonly retryable = true;
  constructor(cause: unknown) {
    super('no answer from the bridge', { cause });
  }
}

/** A request at the webhook that is not in the form Trunkline sends; answer it with 400. */
export class MalformedWebhookError extends TrunklineError {
  readonly code = 'TRK_MALFORMED_WEBHOOK';
  constructor(readonly detail: string) {
    super(`malformed webhook request: ${detail}`);
  }
}
