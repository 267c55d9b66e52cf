/** A bus in one process that joins several routers, and fails as it is told. */

import type { Bus, BusHandlers, Peers, PublishedMulticast } from '../../actors/engine-ports.js';
import { EngineUnavailableError } from '../../actors/errors.js';
import type { EmbeddedGroups } from '../../cluster/engines/embedded/embedded-groups.js';

/** For a router that is alone. */
export const NO_PEERS: Peers = { has: () => false, standing: () => 'live', unreachable: () => {} };

/** - `away`  nothing leaves. - `doubtful`  it arrives, and nobody can say so. - `lossy`  it is taken and lost */
export type BusState = 'up' | 'away' | 'doubtful' | 'lossy';

export class MemoryBus {
  state: BusState = 'up';
  /** Every message that a node was sent. */
  readonly sent: { readonly to: string; readonly bytes: Uint8Array }[] = [];
  readonly listening = new Map<string, Set<string>>();
  readonly #nodes = new Map<string, BusHandlers>();
  readonly #groups: Pick<EmbeddedGroups, 'nextOffset'>;

  constructor(groups: Pick<EmbeddedGroups, 'nextOffset'>) {
    this.#groups = groups;
  }

  /** The node receives nothing any more. */
  cut(incarnation: string): void {
    this.#nodes.delete(incarnation);
    for (const nodes of this.listening.values()) nodes.delete(incarnation);
  }

  /** As if another node had sent it. */
  inject(to: string, bytes: Uint8Array): void {
    this.#nodes.get(to)?.onMessage(bytes);
  }

  /** The bus as one node has it. */
  of(incarnation: string): Bus {
    return {
      open: async (_incarnation, handlers) => void this.#nodes.set(incarnation, handlers),
      send: async (to, bytes) => this.#send(to, bytes),
      listen: async (businessId, group) => {
        if (this.state === 'away') throw new EngineUnavailableError(false);
        const key = `${businessId} ${group}`;
        this.listening.set(key, (this.listening.get(key) ?? new Set()).add(incarnation));
      },
      unlisten: async (businessId, group) => void this.listening.get(`${businessId} ${group}`)?.delete(incarnation),
      multicast: async (businessId, group, body) => this.#multicast(businessId, group, body),
    };
  }

  #send(to: string, bytes: Uint8Array): boolean {
    if (this.state === 'away') throw new EngineUnavailableError(false);
    this.sent.push({ to, bytes });
    const handlers = this.#nodes.get(to);
    if (handlers !== undefined && this.state !== 'lossy') queueMicrotask(() => handlers.onMessage(Buffer.from(bytes)));
    if (this.state === 'doubtful') throw new EngineUnavailableError(true);
    return handlers !== undefined;
  }

  #multicast(businessId: number, group: string, body: Uint8Array): PublishedMulticast | undefined {
    if (this.state === 'away') throw new EngineUnavailableError(false);
    const offset = this.#groups.nextOffset(businessId, group);
    if (offset === undefined) return undefined;
    const nodes = [...(this.listening.get(`${businessId} ${group}`) ?? [])];
    for (const incarnation of nodes) {
      queueMicrotask(() => this.#nodes.get(incarnation)?.onMulticast({ businessId, group, offset, body }));
    }
    return { offset, receivers: nodes.length };
  }
}
