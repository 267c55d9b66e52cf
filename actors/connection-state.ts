/** The states of a session, and the one function through which every change passes. */
import { TrunklineError } from '../protocol/index.js';

/**
 * - `handshaking`  token verified, route not claimed yet; nothing is sent or applied
 * - `online`       authenticated and present in the route table
 * - `draining`     takes no new push, still answers requests and flushes its queue
 * - `closed`       final
 */
export type ConnectionState = 'handshaking' | 'online' | 'draining' | 'closed';

const NEXT: Record<ConnectionState, readonly ConnectionState[]> = {
  handshaking: ['online', 'closed'],
  online: ['draining', 'closed'],
  draining: ['closed'],
  closed: [],
};

/** A move that the table of states does not know: a fault of ours. */
export class IllegalStateError extends TrunklineError {
  readonly code = 'TRK_ILLEGAL_STATE';
  constructor(
    readonly from: ConnectionState,
    readonly to: ConnectionState,
  ) {
    super(`a connection that is ${from} does not become ${to}`);
  }
}

/** @throws {IllegalStateError} when the move is not in the table */
export function move(from: ConnectionState, to: ConnectionState): ConnectionState {
  if (!NEXT[from].includes(to)) throw new IllegalStateError(from, to);
  return to;
}
