/**
 * The capacity and state families: a limit was met, or what was named does not exist.
 *
 * @see docs/errors.md
 */
import { TrunklineError } from '../protocol/index.js';

/** The router holds as many unanswered pushes as it may. The bridge answers 429. */
export class OverloadedError extends TrunklineError {
  readonly code = 'TRK_OVERLOADED';
  override readonly retryable = true;
  constructor(
    readonly pending: number,
    readonly limit: number,
  ) {
    super(`${pending} pushes wait for an answer, the limit is ${limit}`);
  }
}

/** No such group in this business. */
export class GroupNotFoundError extends TrunklineError {
  readonly code = 'TRK_GROUP_NOT_FOUND';
  constructor(readonly group: string) {
    super(`group ${JSON.stringify(group)} does not exist`);
  }
}

/** Redis is away, or does not answer in time. The bridge answers 503. */
export class EngineUnavailableError extends TrunklineError {
  readonly code = 'TRK_ENGINE_UNAVAILABLE';
  override readonly retryable = true;
  constructor(
    /** Whether what was asked for may have happened all the same. */
    readonly mayHaveArrived: boolean,
    options?: ErrorOptions,
  ) {
    const fate = mayHaveArrived ? 'what was asked may have been done' : 'nothing was done';
    super(`the engine that holds routes and groups is not available; ${fate}`, options);
  }
}

/** Another node has sent what is no message of this version; it was dropped whole. Logged, never thrown at anybody. */
export class MalformedPeerMessageError extends TrunklineError {
  readonly code = 'TRK_MALFORMED_PEER_MESSAGE';
  constructor(
    /** Since this node started. */
    readonly count: number,
  ) {
    super(`a message of another node was not understood and dropped, ${count} so far`);
  }
}
