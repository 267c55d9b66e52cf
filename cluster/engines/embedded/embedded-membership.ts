/** Membership of one node: itself, while it serves. */
import type { Membership, NodeRecord } from '../contract/index.js';

export class EmbeddedMembership implements Membership {
  readonly #nodes = new Map<string, NodeRecord>();

  announce(node: NodeRecord): Promise<void> {
    this.#nodes.set(node.incarnation, node);
    return Promise.resolve();
  }

  withdraw(incarnation: string): Promise<void> {
    this.#nodes.delete(incarnation);
    return Promise.resolve();
  }

  list(): Promise<NodeRecord[]> {
    return Promise.resolve([...this.#nodes.values()]);
  }
}
