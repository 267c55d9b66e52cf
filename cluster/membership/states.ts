/**
 * The states of the nodes of a service as one of them sees it, its own included, and the functions through which every
 * change passes.
 *
 * @see docs/lifecycle.md, "A node among others"
 */
import { TrunklineError } from '../../protocol/index.js';

/**
 * Another node, as this one sees it.
 *
 * - `joined`   its lease stands
 * - `suspect`  its lease lapsed, or a message to it found nobody: its devices are offline, its routes stay
 * - `gone`     it left, or its lease stayed lapsed: what it left behind is swept
 */
export type PeerState = 'joined' | 'suspect' | 'gone';

const NEXT_OF_PEER: Record<PeerState, readonly PeerState[]> = {
  joined: ['suspect', 'gone'],
  suspect: ['joined', 'gone'],
  gone: ['joined'],
};

/**
 * This node's own place among the others.
 *
 * - `unregistered`  has no lease yet
 * - `registered`    its lease stands
 * - `cut off`       renewals fail; the lease may have lapsed
 * - `sent away`     another node has declared this one gone; clients are told to go, nobody may log in
 * - `withdrawn`     took itself off; final
 */
export type OwnState = 'unregistered' | 'registered' | 'cut off' | 'sent away' | 'withdrawn';

const NEXT_OF_OWN: Record<OwnState, readonly OwnState[]> = {
  unregistered: ['registered', 'withdrawn'],
  registered: ['cut off', 'sent away', 'withdrawn'],
  'cut off': ['registered', 'sent away', 'withdrawn'],
  'sent away': ['registered', 'withdrawn'],
  withdrawn: [],
};

/** A move that its table does not know: a fault of ours. */
export class IllegalMembershipError extends TrunklineError {
  readonly code = 'TRK_ILLEGAL_STATE';
  constructor(
    readonly from: PeerState | OwnState,
    readonly to: PeerState | OwnState,
  ) {
    super(`a node that is ${from} does not become ${to}`);
  }
}

/** @throws {IllegalMembershipError} when the move is not in the table */
export function movePeer(from: PeerState, to: PeerState): PeerState {
  if (!NEXT_OF_PEER[from].includes(to)) throw new IllegalMembershipError(from, to);
  return to;
}

/** @throws {IllegalMembershipError} when the move is not in the table */
export function moveOwn(from: OwnState, to: OwnState): OwnState {
  if (!NEXT_OF_OWN[from].includes(to)) throw new IllegalMembershipError(from, to);
  return to;
}
