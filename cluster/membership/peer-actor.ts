/**
 * Another node in this node's actor tree, under ClusterActor: what the tree shows of it is its name and state. All that
 * is judged about it happens in `Peer`.
 */
import type { Peer } from './peer.js';
import type { PeerState } from './states.js';

export default class PeerActor {
  readonly #peer: Peer;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  status(): { name: string; incarnation: string; state: PeerState; reason: string } {
    const { record, state, reason } = this.#peer;
    return { name: record.name, incarnation: record.incarnation, state, reason };
  }
}
