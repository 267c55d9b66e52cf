/**
 * What a back-end does to groups. A join or leave is done by the node that has the device: it alone can listen before
 * it says where the stream stands.
 */
import type { Destination, Destinations } from './destinations.js';
import type { Bus, DeviceRoute, GroupStore, Peers, Route, RouteStore } from './engine-ports.js';
import { GroupNotFoundError } from './errors.js';
import type { LocalGroups } from './local-groups.js';
import { encodeDissolve } from './multicast-body.js';
import type { DeviceKey } from './ports.js';
import type { GroupInfo, GroupPage, MembershipResult, PageRequest } from './routing-service.js';
import { within } from './within.js';

/** An access worker that does not answer a membership change for this long. */
const ASK_TIMEOUT_MS = 2_000;

export const MEMBERSHIP_TOPICS = ['joinMembers', 'removeMembers'] as const;
export type MembershipTopic = (typeof MEMBERSHIP_TOPICS)[number];

export interface GroupAddress {
  readonly businessId: number;
  readonly group: string;
}

/** What is asked of the node, or the worker, that has the devices. */
export interface MembershipChange extends GroupAddress {
  /** Serial numbers of the connections. */
  readonly serials: readonly number[];
}

export interface MembershipAnswer {
  readonly results: readonly MembershipResult[];
}

export interface RouterGroupsPorts {
  readonly incarnation: string;
  readonly routes: Pick<RouteStore, 'lookup'>;
  readonly groups: GroupStore;
  readonly bus: Pick<Bus, 'multicast'>;
  readonly peers: Pick<Peers, 'standing'>;
  readonly destinations: Destinations;
  readonly local: LocalGroups;
  reach(route: Route | undefined, businessId: number): Destination | undefined;
}

export class RouterGroups {
  readonly #ports: RouterGroupsPorts;

  constructor(ports: RouterGroupsPorts) {
    this.#ports = ports;
  }

  create({ businessId, group }: GroupAddress): Promise<boolean> {
    return this.#ports.groups.create(businessId, group);
  }

  async dissolve({ businessId, group }: GroupAddress): Promise<boolean> {
    const { bus, groups, incarnation, local } = this.#ports;
    // While there is still a channel to say it on.
    await bus.multicast(businessId, group, encodeDissolve(incarnation));
    const existed = await groups.dissolve(businessId, group);
    // Whoever joined in between.
    local.dissolve(businessId, group);
    return existed;
  }

  async get({ businessId, group }: GroupAddress): Promise<GroupInfo | undefined> {
    const { groups } = this.#ports;
    const record = await groups.get(businessId, group);
    if (record === undefined) return undefined;
    const [members = 0] = await this.#sizes(businessId, [group]);
    return { group, members, createdAtMs: record.createdAtMs };
  }

  async list(businessId: number, page: PageRequest): Promise<GroupPage> {
    const { groups, next } = await this.#ports.groups.list(businessId, page);
    const names = groups.map(({ group }) => group);
    const sizes = names.length === 0 ? [] : await this.#sizes(businessId, names);
    const infos = groups.map(({ group, createdAtMs }, i) => ({ group, members: sizes[i] ?? 0, createdAtMs }));
    return next === undefined ? { groups: infos } : { groups: infos, next };
  }

  /** @throws {GroupNotFoundError} */
  async change(
    topic: MembershipTopic,
    { businessId, group, devices }: GroupAddress & { readonly devices: readonly DeviceKey[] },
  ): Promise<MembershipResult[]> {
    const { groups, reach, routes } = this.#ports;
    if ((await groups.get(businessId, group)) === undefined) throw new GroupNotFoundError(group);
    const found = await routes.lookup(devices);
    const results = new Array<MembershipResult>(devices.length).fill('offline');
    const members = new Map<Destination, { indexes: number[]; serials: number[] }>();
    found.forEach((route, index) => {
      const destination = reach(route, businessId);
      if (destination === undefined) return;
      const own = members.get(destination) ?? { indexes: [], serials: [] };
      own.indexes.push(index);
      own.serials.push((route as DeviceRoute).connection.serial);
      members.set(destination, own);
    });
    const asks = [...members].map(async ([destination, { indexes, serials }]) => {
      const answer = await this.#ask(destination, topic, { businessId, group, serials });
      indexes.forEach((index, i) => {
        results[index] = answer?.results[i] ?? 'unknown';
      });
    });
    await Promise.all(asks);
    return results;
  }

  /** For a device of this node. @returns `undefined` when it is not known what became of it */
  async changeHere(
    worker: number,
    topic: MembershipTopic,
    change: MembershipChange,
  ): Promise<MembershipAnswer | undefined> {
    const { destinations, local } = this.#ports;
    const outbox = destinations.local(worker);
    if (outbox === undefined) return { results: change.serials.map(() => 'offline') };
    if (topic === 'removeMembers') return within(ASK_TIMEOUT_MS, outbox.ask<MembershipAnswer>(topic, change));
    const stream = await local.listen(worker, change.businessId, change.group);
    return stream && within(ASK_TIMEOUT_MS, outbox.ask<MembershipAnswer>(topic, { ...change, stream }));
  }

  async #ask(
    destination: Destination,
    topic: MembershipTopic,
    change: MembershipChange,
  ): Promise<MembershipAnswer | undefined> {
    try {
      if (destination.isLocal) return await this.changeHere(destination.worker, topic, change);
      return await destination.ask<MembershipAnswer>(topic, change);
    } catch {
      return undefined;
    }
  }

  async #sizes(businessId: number, names: readonly string[]): Promise<number[]> {
    const { groups, local, peers } = this.#ports;
    await local.settled();
    return groups.sizes(businessId, names, (incarnation) => peers.standing(incarnation));
  }
}
