/**
 * Groups of one node, in memory. A group made anew has a new epoch, so old positions mean nothing in it. What belongs
 * to a group lives in its entry and ends with it, its sizes included.
 */
import { randomBytes } from 'node:crypto';
import type { GroupNames, GroupRecord, GroupSize, GroupStore, PageRequest, Standing } from '../../../actors/index.js';
import { KeyIndex } from './key-index.js';

const EPOCH_BYTES = 6;

interface GroupEntry {
  readonly epoch: string;
  offset: number;
  readonly createdAtMs: number;
  /** Members by incarnation. */
  readonly sizes: Map<string, number>;
}

export class EmbeddedGroups implements GroupStore {
  readonly #groups = new Map<string, GroupEntry>();
  /** Names by business. */
  readonly #names = new Map<number, KeyIndex>();
  readonly #epochMs: () => number;

  /** @param epochMs milliseconds since the Unix epoch */
  constructor(epochMs: () => number) {
    this.#epochMs = epochMs;
  }

  create(businessId: number, group: string): Promise<boolean> {
    const key = keyOf(businessId, group);
    if (this.#groups.has(key)) return Promise.resolve(false);
    const epoch = randomBytes(EPOCH_BYTES).toString('hex');
    this.#groups.set(key, { epoch, offset: 0, createdAtMs: this.#epochMs(), sizes: new Map() });
    let names = this.#names.get(businessId);
    if (names === undefined) {
      names = new KeyIndex();
      this.#names.set(businessId, names);
    }
    names.add(group);
    return Promise.resolve(true);
  }

  dissolve(businessId: number, group: string): Promise<boolean> {
    this.#names.get(businessId)?.delete(group);
    return Promise.resolve(this.#groups.delete(keyOf(businessId, group)));
  }

  get(businessId: number, group: string): Promise<GroupRecord | undefined> {
    const entry = this.#groups.get(keyOf(businessId, group));
    if (entry === undefined) return Promise.resolve(undefined);
    return Promise.resolve({ epoch: entry.epoch, offset: entry.offset, createdAtMs: entry.createdAtMs });
  }

  list(businessId: number, { after, limit }: PageRequest): Promise<GroupNames> {
    // One more than was asked for tells whether this is the last page.
    const names = this.#names.get(businessId)?.page(after, limit + 1) ?? [];
    const groups = names.slice(0, limit).map((group) => {
      return { group, createdAtMs: this.#groups.get(keyOf(businessId, group))?.createdAtMs ?? 0 };
    });
    return Promise.resolve(names.length > limit ? { groups, next: groups.at(-1)?.group } : { groups });
  }

  setSizes(incarnation: string, sizes: readonly GroupSize[]): Promise<GroupSize[]> {
    const unknown = sizes.filter((size) => {
      const entry = this.#groups.get(keyOf(size.businessId, size.group));
      if (size.members === 0) entry?.sizes.delete(incarnation);
      else entry?.sizes.set(incarnation, size.members);
      return entry === undefined && size.members > 0;
    });
    return Promise.resolve(unknown);
  }

  sizes(
    businessId: number,
    groups: readonly string[],
    standingOf: (incarnation: string) => Standing,
  ): Promise<number[]> {
    const totals = groups.map((group) => {
      const sizes = this.#groups.get(keyOf(businessId, group))?.sizes ?? new Map<string, number>();
      let total = 0;
      for (const [incarnation, members] of sizes) {
        const standing = standingOf(incarnation);
        if (standing === 'live') total += members;
        else if (standing === 'gone') sizes.delete(incarnation);
      }
      return total;
    });
    return Promise.resolve(totals);
  }

  /** Takes the next position in the group's stream. @returns `undefined` when there is no such group */
  nextOffset(businessId: number, group: string): number | undefined {
    const entry = this.#groups.get(keyOf(businessId, group));
    if (entry === undefined) return undefined;
    entry.offset += 1;
    return entry.offset;
  }
}

function keyOf(businessId: number, group: string): string {
  return `${businessId} ${group}`;
}
