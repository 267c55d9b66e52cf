/** The PeerActors under ClusterActor: one for each node that is not gone. */
import type { ActorRef, ParentRef } from '../../actors/index.js';
import type { Logger } from '../logger.js';
import type { Peer } from './peer.js';
import PeerActor from './peer-actor.js';

export class PeerActors {
  readonly #actors = new Map<Peer, Promise<ActorRef>>();
  readonly #log: Logger;
  #parent: ParentRef | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  attach(parent: ParentRef): void {
    this.#parent = parent;
  }

  /** Twice is once. */
  adopt(peer: Peer): void {
    if (this.#parent === undefined || this.#actors.has(peer)) return;
    const name = `PeerActor-${peer.record.name}`;
    const actor = this.#parent.createChild(new PeerActor(peer), { mode: 'in-memory', name });
    actor.catch((error) => this.#log.warn('peer actor could not be made', { name, error: String(error) }));
    this.#actors.set(peer, actor);
  }

  release(peer: Peer): void {
    const actor = this.#actors.get(peer);
    this.#actors.delete(peer);
    actor?.then((ref) => ref.destroy()).catch(() => {});
  }
}
