/**
 * Keys in an order that never changes, so that a listing can be taken page by page while keys come and go: by the
 * bucket that a key's hash names, then by the key itself. A sorted list would cost a shift of the whole at every
 * login; here a page sorts the few keys of the buckets it reads.
 */
const BUCKETS = 1_024;

export class KeyIndex {
  readonly #buckets: (Set<string> | undefined)[] = new Array(BUCKETS).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(key: string): void {
    const at = bucketOf(key);
    const bucket = this.#buckets[at];
    if (bucket === undefined) this.#buckets[at] = new Set([key]);
    else if (bucket.has(key)) return;
    else bucket.add(key);
    this.#size += 1;
  }

  delete(key: string): void {
    const at = bucketOf(key);
    const bucket = this.#buckets[at];
    if (bucket?.delete(key) !== true) return;
    this.#size -= 1;
    if (bucket.size === 0) this.#buckets[at] = undefined;
  }

  /** Up to `limit` keys behind `after`, which need not be there any more; from the beginning without it. */
  page(after: string | undefined, limit: number): string[] {
    const start = after === undefined ? 0 : bucketOf(after);
    const keys: string[] = [];
    for (let at = start; at < BUCKETS && keys.length < limit; at++) {
      const bucket = this.#buckets[at];
      if (bucket === undefined) continue;
      const sorted = [...bucket].sort(byCodeUnits);
      const rest = at === start && after !== undefined ? sorted.filter((key) => key > after) : sorted;
      for (const key of rest.slice(0, limit - keys.length)) keys.push(key);
    }
    return keys;
  }
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** FNV-1a over UTF-16 units. */
function bucketOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1);
}
