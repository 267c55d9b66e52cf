/**
 * What comes from the Redis client, told in the words of the engine's contract. The client's own errors carry the
 * command with its arguments, a password among them: only their sentence goes on.
 */
import { EngineUnavailableError } from '../../../actors/index.js';
import { TrunklineError } from '../../../protocol/index.js';

/** The server that answered cannot be used: it is too old, or not what `engine.mode` says. Waiting does not help. */
export class UnsuitableRedisError extends TrunklineError {
  readonly code = 'TRK_ENGINE_UNSUITABLE';
}

/** The server has refused, because the key is another node's now; nothing was done. Never leaves the engine. */
export class SlotMovedError extends Error {}

/** Answers by which a server says that it did nothing. */
const REFUSALS =
  /^(LOADING|MASTERDOWN|READONLY|CLUSTERDOWN|NOREPLICAS|OOM|MISCONF|BUSY|NOAUTH|WRONGPASS|NOPERM|NOSCRIPT|ERR max number of clients)\b/;

const MOVES = /^(MOVED|ASK|TRYAGAIN|CROSSSLOT)\b|non local key/;

/** The client says so of a command that it has not written, or that one server after the other has sent on. */
const NEVER_TAKEN =
  /enableOfflineQueue options is false$|^Too many Cluster redirections.* (MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/;

/** @returns what callers are to see of any error that a command has ended with */
export function engineError(error: unknown): EngineUnavailableError | SlotMovedError {
  if (error instanceof EngineUnavailableError || error instanceof SlotMovedError) return error;
  const cause = plainError(error);
  if (MOVES.test(cause.message)) return new SlotMovedError(cause.message);
  const neverDone = REFUSALS.test(cause.message) || NEVER_TAKEN.test(cause.message);
  return new EngineUnavailableError(!neverDone, { cause });
}

export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** The sentence of an error, without whatever else hangs on it. */
export function plainError(error: unknown): Error {
  return new Error(error instanceof Error ? error.message : String(error));
}
