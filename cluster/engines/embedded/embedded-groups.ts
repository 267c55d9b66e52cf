/** Groups of one node, in memory. A group made anew has a new epoch, so old positions mean nothing in it. */
import { randomBytes } from 'node:crypto';
import type { GroupNames, GroupRecord, GroupStore, PageRequest } from '../../../actors/index.js';
import { KeyIndex } from './key-index.js';

const EPOCH_BYTES = 6;

export class EmbeddedGroups implements GroupStore {
  readonly #groups = new Map<string, GroupRecord & { offset: number }>();
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
    this.#groups.set(key, { epoch, offset: 0, createdAtMs: this.#epochMs() });
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
    const record = this.#groups.get(keyOf(businessId, group));
    return Promise.resolve(record === undefined ? undefined : { ...record });
  }

  list(businessId: number, { after, limit }: PageRequest): Promise<GroupNames> {
    // One more than was asked for tells whether this is the last page.
    const names = this.#names.get(businessId)?.page(after, limit + 1) ?? [];
    const groups = names.slice(0, limit).map((group) => {
      return { group, createdAtMs: this.#groups.get(keyOf(businessId, group))?.createdAtMs ?? 0 };
    });
    return Promise.resolve(names.length > limit ? { groups, next: groups.at(-1)?.group } : { groups });
  }

  nextOffset(businessId: number, group: string): Promise<number | undefined> {
    const record = this.#groups.get(keyOf(businessId, group));
    if (record === undefined) return Promise.resolve(undefined);
    record.offset += 1;
    return Promise.resolve(record.offset);
  }
}

function keyOf(businessId: number, group: string): string {
  return `${businessId} ${group}`;
}
