/** The groups that this tab joined. The device's part in them is the worker's; the position follows what it tells. */
import { GapReason } from '../../protocol/index.js';
import type { GroupPosition } from '../calls.js';
import type { ClientEvent } from '../events.js';
import type { Membership } from '../memberships.js';

export class TabMembership implements Membership {
  active = true;
  epoch = '';
  offset = 0;

  constructor(
    readonly business: string,
    readonly group: string,
    readonly leave: () => Promise<void>,
  ) {}

  moveTo({ epoch, offset }: GroupPosition): void {
    this.epoch = epoch;
    this.offset = offset;
  }
}

export class TabMemberships {
  readonly #joined = new Map<string, TabMembership>();

  get all(): TabMembership[] {
    return [...this.#joined.values()];
  }

  joined(business: string, group: string, position: GroupPosition, leave: () => Promise<void>): Membership {
    const key = keyOf(business, group);
    const membership = this.#joined.get(key) ?? new TabMembership(business, group, leave);
    this.#joined.set(key, membership);
    membership.moveTo(position);
    return membership;
  }

  moved(business: string, group: string, position: GroupPosition | undefined): void {
    if (position !== undefined) this.#joined.get(keyOf(business, group))?.moveTo(position);
  }

  ended(business: string, group: string): void {
    const key = keyOf(business, group);
    const membership = this.#joined.get(key);
    if (membership === undefined) return;
    membership.active = false;
    this.#joined.delete(key);
  }

  allEnded(): void {
    for (const { business, group } of this.all) this.ended(business, group);
  }

  /** Some events end memberships. */
  heard(event: ClientEvent): void {
    if (event.type === 'gap' && event.reason === GapReason.membershipEnded) this.ended(event.business, event.group);
    if (event.type === 'rejoin-failed' && !event.retrying) this.ended(event.business, event.group);
    if (event.type === 'state' && event.state === 'closed') this.allEnded();
  }
}

/** A business's name holds no line feed. */
function keyOf(business: string, group: string): string {
  return `${business}\n${group}`;
}
