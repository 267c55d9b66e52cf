/**
 * Groups in Redis: a record and the sizes by node in the group's slot, the names of a business's groups in a sorted
 * set in another. What is done in two slots is done in two steps, either of which may be the last before a crash: the
 * record alone says whether a group exists, and the set is put right by whoever comes upon a difference.
 */
import { randomBytes } from 'node:crypto';
import type { GroupNames, GroupRecord, GroupSize, GroupStore, PageRequest, Standing } from '../../../actors/index.js';
import type { Keys } from './keys.js';
import { createGroupScript, dissolveGroupScript, groupAgesScript, setSizesScript, sizesScript } from './lua/groups.js';
import type { RedisConnection } from './redis-connection.js';
import { type ItemArguments, runBatch } from './script-batch.js';

const EPOCH_BYTES = 6;

export class RedisGroups implements GroupStore {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async create(businessId: number, group: string): Promise<boolean> {
    // Before the record, so that a crash in between leaves no group that nobody can list; each time, so that a name
    // that a failover has lost is back; and after it, since a listing in between may have dropped the name.
    await this.#addName(businessId, group);
    const epoch = randomBytes(EPOCH_BYTES).toString('hex');
    const isNew = (await this.#connection.run(createGroupScript, [this.#keys.group(businessId, group)], [epoch])) === 1;
    if (isNew) await this.#addName(businessId, group);
    return isNew;
  }

  async dissolve(businessId: number, group: string): Promise<boolean> {
    const keys = [this.#keys.group(businessId, group), this.#keys.groupSizes(businessId, group)];
    const existed = (await this.#connection.run(dissolveGroupScript, keys, [])) === 1;
    await this.#dropName(businessId, group);
    return existed;
  }

  async get(businessId: number, group: string): Promise<GroupRecord | undefined> {
    const reply = await this.#connection.call('hmget', this.#keys.group(businessId, group), 'e', 'o', 't');
    const [epoch, offset, createdAtMs] = reply as (Buffer | null)[];
    if (epoch == null) return undefined;
    return { epoch: epoch.toString(), offset: Number(offset), createdAtMs: Number(createdAtMs) };
  }

  /** By name. A page is shorter by the names whose groups are no more. */
  async list(businessId: number, { after, limit }: PageRequest): Promise<GroupNames> {
    const key = this.#keys.groupNames(businessId);
    const from = after === undefined ? '-' : `(${after}`;
    // One more than was asked for tells whether this is the last page.
    const reply = await this.#connection.call('zrangebylex', key, from, '+', 'limit', 0, limit + 1);
    const names = (reply as Buffer[]).map(String);
    const page = names.slice(0, limit);
    const records = page.map((group): ItemArguments => [this.#keys.group(businessId, group)]);
    const ages = (await runBatch(this.#connection, groupAgesScript, records, 1)) as (Buffer | null)[];
    await Promise.all(page.filter((_, i) => ages[i] == null).map((group) => this.#dropName(businessId, group)));
    const groups = page.flatMap((group, i) => (ages[i] == null ? [] : [{ group, createdAtMs: Number(ages[i]) }]));
    return names.length > limit ? { groups, next: page.at(-1) } : { groups };
  }

  async setSizes(incarnation: string, sizes: readonly GroupSize[]): Promise<GroupSize[]> {
    const items = sizes.map(({ businessId, group, members }): ItemArguments => {
      return [this.#keys.group(businessId, group), this.#keys.groupSizes(businessId, group), incarnation, members];
    });
    const kept = await runBatch(this.#connection, setSizesScript, items, 1);
    return sizes.filter((_, i) => kept[i] === 0);
  }

  async sizes(
    businessId: number,
    groups: readonly string[],
    standingOf: (incarnation: string) => Standing,
  ): Promise<number[]> {
    const keys = groups.map((group) => this.#keys.groupSizes(businessId, group));
    const items = keys.map((key): ItemArguments => [key]);
    const replies = (await runBatch(this.#connection, sizesScript, items, 1)) as Buffer[][];
    const counts = replies.map((reply) => countMembers(reply, standingOf));
    await Promise.all(
      counts.map(async ({ left }, i) => {
        if (left.length > 0) await this.#connection.call('hdel', keys[i] as string, ...left);
      }),
    );
    return counts.map(({ members }) => members);
  }

  async #addName(businessId: number, group: string): Promise<void> {
    await this.#connection.call('zadd', this.#keys.groupNames(businessId), 0, group);
  }

  /** Of a group that is no more. If it has come into being again meanwhile, its name is put back. */
  async #dropName(businessId: number, group: string): Promise<void> {
    await this.#connection.call('zrem', this.#keys.groupNames(businessId), group);
    if ((await this.get(businessId, group)) !== undefined) await this.#addName(businessId, group);
  }
}

/** @param reply incarnation and members, in turn @returns members of live nodes, and which nodes are gone */
function countMembers(reply: readonly Buffer[], standingOf: (incarnation: string) => Standing) {
  const left: string[] = [];
  let members = 0;
  for (let i = 0; i + 1 < reply.length; i += 2) {
    const incarnation = String(reply[i]);
    const standing = standingOf(incarnation);
    if (standing === 'live') members += Number(reply[i + 1]);
    else if (standing === 'gone') left.push(incarnation);
  }
  return { members, left };
}
