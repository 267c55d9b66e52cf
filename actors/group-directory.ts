/**
 * The groups with members on this worker. The first member of a group asks the router where its stream stands;
 * later ones join at once. Multicasts that arrive in between move the position on, so a member is told exactly
 * where its stream begins.
 */
import type { Business } from './business.js';
import type { MulticastItem } from './delivery-batch.js';
import type { DeliveryOptions } from './delivery-options.js';
import { Group, type GroupMember } from './group.js';
import { MULTICAST_INDEX, OutcomeCode } from './outcome-batch.js';
import type { GroupStream, RouterLink } from './router-link.js';
import type { WorkerCounters } from './worker-counters.js';

/** Gives a group its actor, and ends it. */
export interface GroupActors {
  adopt(group: Group): void;
  release(group: Group): void;
}

export interface JoinOptions {
  /** Whether a group that does not exist comes into being. */
  readonly create: boolean;
  /** Asked when the router has answered: the member may be gone by then. */
  isStillWanted(): boolean;
  /** Called at the join itself; the promise is late by a moment in which the membership can end again. */
  onJoin(group: Group): void;
}

export type JoinResult =
  | { readonly joined: true; readonly isNew: boolean; readonly group: Group }
  | { readonly joined: false };

interface Opening {
  readonly stream: Promise<GroupStream | undefined>;
  /** Offset of the last multicast that came while the router was asked. */
  seenOffset: number;
}

export class GroupDirectory {
  readonly #router: RouterLink;
  readonly #actors: GroupActors;
  readonly #counters: WorkerCounters;
  readonly #now: () => number;
  readonly #groups = new Map<string, Group>();
  readonly #openings = new Map<string, Opening>();

  /** @param now the worker's clock, milliseconds */
  constructor(router: RouterLink, actors: GroupActors, counters: WorkerCounters, now: () => number) {
    this.#router = router;
    this.#actors = actors;
    this.#counters = counters;
    this.#now = now;
  }

  get size(): number {
    return this.#groups.size;
  }

  find(businessId: number, name: string): Group | undefined {
    return this.#groups.get(keyOf(businessId, name));
  }

  /** A member comes by itself; the router is asked when it is the first. */
  async join(business: Business, name: string, member: GroupMember, options: JoinOptions): Promise<JoinResult> {
    const stream = this.find(business.id, name) ?? (await this.#ask(business.id, name, options.create));
    if (stream === undefined) return { joined: false };
    // From here to the end without an await: a group that is found or made must not end before it is joined.
    const known = this.find(business.id, name);
    if (!options.isStillWanted()) {
      // The router listens on this worker's behalf already; unless somebody else joined, it need not.
      if (known === undefined) this.#router.groupSize({ businessId: business.id, group: name, members: 0 });
      return { joined: false };
    }
    const group = known ?? this.#add(business, name, stream);
    const isNew = group.join(member);
    options.onJoin(group);
    return { joined: true, isNew, group };
  }

  /** Server-side join: the router has said where the stream stands. */
  joinAt(business: Business, name: string, member: GroupMember, stream: GroupStream): boolean {
    const group = this.find(business.id, name) ?? this.#add(business, name, stream);
    return group.join(member);
  }

  publish({ businessId, group: name, frame, offset, pushId }: MulticastItem, options?: DeliveryOptions): void {
    const group = this.find(businessId, name);
    if (group !== undefined) return group.publish(frame, offset, pushId, options);
    const opening = this.#openings.get(keyOf(businessId, name));
    if (opening !== undefined) opening.seenOffset = offset;
    this.#router.outcome(pushId, MULTICAST_INDEX, OutcomeCode.delivered, 0);
  }

  dissolve(businessId: number, name: string): void {
    this.find(businessId, name)?.dissolve();
  }

  /** @returns where the stream stands; the router is asked once, however many want to know */
  async #ask(businessId: number, name: string, create: boolean): Promise<GroupStream | undefined> {
    const key = keyOf(businessId, name);
    let opening = this.#openings.get(key);
    if (opening === undefined) {
      opening = { stream: this.#router.listenToGroup(businessId, name, create), seenOffset: -1 };
      this.#openings.set(key, opening);
      const forget = () => this.#openings.delete(key);
      opening.stream.then(forget, forget);
    }
    const stream = await opening.stream;
    return stream && { epoch: stream.epoch, offset: Math.max(stream.offset, opening.seenOffset) };
  }

  #add(business: Business, name: string, stream: GroupStream): Group {
    const group = new Group(business, name, stream, {
      settle: (pushId, code, members) => this.#router.outcome(pushId, MULTICAST_INDEX, code, members),
      delivered: (messages) => {
        this.#counters.multicastDeliveries += messages;
      },
      expired: () => {
        this.#counters.expired += 1;
      },
      changed: (changedGroup) => this.#changed(changedGroup),
      now: this.#now,
    });
    this.#groups.set(keyOf(business.id, name), group);
    this.#actors.adopt(group);
    return group;
  }

  #changed(group: Group): void {
    const { business, name, size } = group;
    this.#router.groupSize({ businessId: business.id, group: name, members: size });
    if (size > 0 || this.find(business.id, name) !== group) return;
    this.#groups.delete(keyOf(business.id, name));
    this.#actors.release(group);
  }
}

function keyOf(businessId: number, name: string): string {
  return `${businessId} ${name}`;
}
