/** This node among the others: announces it once it can serve, and withdraws it before it stops. */
import type { Membership, NodeRecord } from './engines/contract/index.js';

export default class ClusterActor {
  readonly #membership: Membership;
  readonly #self: NodeRecord;

  constructor(membership: Membership, self: NodeRecord) {
    this.#membership = membership;
    this.#self = self;
  }

  announce(): Promise<void> {
    return this.#membership.announce(this.#self);
  }

  withdraw(): Promise<void> {
    return this.#membership.withdraw(this.#self.incarnation);
  }

  list(): Promise<NodeRecord[]> {
    return this.#membership.list();
  }
}
