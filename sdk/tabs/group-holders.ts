/**
 * Which tabs are in which groups: the device is in a group for as long as one tab is. Operations on one group run one
 * after the other, so that a tab's leave never overtakes another's join.
 */
import { Status } from '../../protocol/index.js';
import type { BusinessChannel } from '../business-channel.js';
import type { GroupPosition } from '../calls.js';
import { RequestError } from '../errors.js';
import type { Membership } from '../memberships.js';

type Channels = (business: string) => Pick<BusinessChannel, 'join' | 'leave'>;

interface HeldGroup<Tab> {
  readonly business: string;
  readonly group: string;
  /** False while the tab's join has no answer yet. */
  readonly holders: Map<Tab, boolean>;
  membership: Membership | undefined;
  /** Operations asked for and not done. */
  pending: number;
  last: Promise<unknown>;
}

export class GroupHolders<Tab> {
  readonly #channels: Channels;
  readonly #groups = new Map<string, HeldGroup<Tab>>();

  constructor(channels: Channels) {
    this.#channels = channels;
  }

  /** @throws as `BusinessChannel.join` does */
  join(tab: Tab, business: string, group: string): Promise<GroupPosition> {
    const held = this.#held(business, group);
    // Before the answer: pushes may come in the same breath.
    if (!held.holders.has(tab)) held.holders.set(tab, false);
    return this.#next(held, async () => {
      try {
        if (!held.membership?.active) held.membership = await this.#channels(business).join(group);
      } catch (error) {
        held.holders.delete(tab);
        throw error;
      }
      if (held.holders.has(tab)) held.holders.set(tab, true);
      return { epoch: held.membership.epoch, offset: held.membership.offset };
    });
  }

  /**
   * The group is left when no tab is in it any more. A tab that is not in it asks the server, as a client would: the
   * device may have been put into it by a back-end.
   *
   * @throws as `BusinessChannel.leave` does
   */
  leave(tab: Tab, business: string, group: string): Promise<void> {
    const held = this.#held(business, group);
    const wasHolder = held.holders.delete(tab);
    return this.#next(held, async () => {
      if (wasHolder) return this.#leaveIfUnheld(held);
      if (held.holders.size > 0) throw new RequestError(Status.notFound);
      return this.#channels(business).leave(group);
    });
  }

  /** The tab has gone, and with it its part in every group. */
  drop(tab: Tab): void {
    for (const held of this.#groups.values()) {
      if (!held.holders.delete(tab)) continue;
      // Nobody is left to tell; a membership that the server ended meanwhile is just as gone.
      this.#next(held, () => this.#leaveIfUnheld(held)).catch(() => {});
    }
  }

  isHolder(tab: Tab, business: string, group: string): boolean {
    return this.#groups.get(keyOf(business, group))?.holders.has(tab) ?? false;
  }

  /** Whether any tab is in the group. */
  isHeld(business: string, group: string): boolean {
    return (this.#groups.get(keyOf(business, group))?.holders.size ?? 0) > 0;
  }

  /** Of a group that the device is in because of its tabs. */
  position(business: string, group: string): GroupPosition | undefined {
    const membership = this.#groups.get(keyOf(business, group))?.membership;
    return membership?.active ? { epoch: membership.epoch, offset: membership.offset } : undefined;
  }

  /** Forgets who was in groups whose membership the server ended. */
  sweep(): void {
    for (const held of this.#groups.values()) {
      if (held.membership === undefined || held.membership.active) continue;
      held.membership = undefined;
      for (const [tab, isIn] of held.holders) if (isIn) held.holders.delete(tab);
      this.#forgetUnused(held);
    }
  }

  async #leaveIfUnheld(held: HeldGroup<Tab>): Promise<void> {
    const { membership } = held;
    if (held.holders.size > 0 || membership === undefined) return;
    held.membership = undefined;
    if (membership.active) await membership.leave();
  }

  #held(business: string, group: string): HeldGroup<Tab> {
    const key = keyOf(business, group);
    let held = this.#groups.get(key);
    if (held === undefined) {
      held = { business, group, holders: new Map(), membership: undefined, pending: 0, last: Promise.resolve() };
      this.#groups.set(key, held);
    }
    return held;
  }

  #next<T>(held: HeldGroup<Tab>, operation: () => Promise<T>): Promise<T> {
    held.pending += 1;
    const done = held.last.then(operation);
    const over = (): void => {
      held.pending -= 1;
      this.#forgetUnused(held);
    };
    held.last = done.then(over, over);
    return done;
  }

  #forgetUnused({ business, group, pending, holders, membership }: HeldGroup<Tab>): void {
    if (pending === 0 && holders.size === 0 && membership === undefined) this.#groups.delete(keyOf(business, group));
  }
}

/** A business's name holds no line feed. */
function keyOf(business: string, group: string): string {
  return `${business}\n${group}`;
}
