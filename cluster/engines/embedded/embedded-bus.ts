/**
 * The bus of a service of one node: it ends where it begins. Bytes are handed over as they are, without a copy, in a
 * later microtask, since a sender does not expect to receive in the midst of sending.
 */
import type { Bus, BusHandlers, PublishedMulticast } from '../../../actors/index.js';
import type { EmbeddedGroups } from './embedded-groups.js';

export class EmbeddedBus implements Bus {
  readonly #groups: EmbeddedGroups;
  /** Groups that are listened to. */
  readonly #listening = new Set<string>();
  #incarnation: string | undefined;
  #handlers: BusHandlers | undefined;

  constructor(groups: EmbeddedGroups) {
    this.#groups = groups;
  }

  open(incarnation: string, handlers: BusHandlers): Promise<void> {
    this.#incarnation = incarnation;
    this.#handlers = handlers;
    return Promise.resolve();
  }

  send(incarnation: string, bytes: Uint8Array): Promise<boolean> {
    const handlers = this.#handlers;
    if (handlers === undefined || incarnation !== this.#incarnation) return Promise.resolve(false);
    queueMicrotask(() => handlers.onMessage(bytes));
    return Promise.resolve(true);
  }

  listen(businessId: number, group: string): Promise<void> {
    this.#listening.add(keyOf(businessId, group));
    return Promise.resolve();
  }

  unlisten(businessId: number, group: string): Promise<void> {
    this.#listening.delete(keyOf(businessId, group));
    return Promise.resolve();
  }

  multicast(businessId: number, group: string, body: Uint8Array): Promise<PublishedMulticast | undefined> {
    const offset = this.#groups.nextOffset(businessId, group);
    if (offset === undefined) return Promise.resolve(undefined);
    const handlers = this.#handlers;
    if (handlers === undefined || !this.#listening.has(keyOf(businessId, group))) {
      return Promise.resolve({ offset, receivers: 0 });
    }
    queueMicrotask(() => handlers.onMulticast({ businessId, group, offset, body }));
    return Promise.resolve({ offset, receivers: 1 });
  }
}

function keyOf(businessId: number, group: string): string {
  return `${businessId} ${group}`;
}
