/** Which access workers of this node listen to a group, and with how many members each. */
interface Listened {
  readonly businessId: number;
  readonly group: string;
  /** Members by worker. A worker may listen before its first member has joined. */
  readonly workers: Map<number, number>;
}

export class GroupListeners {
  readonly #groups = new Map<string, Listened>();

  listen(businessId: number, group: string, worker: number): void {
    const key = keyOf(businessId, group);
    let listened = this.#groups.get(key);
    if (listened === undefined) {
      listened = { businessId, group, workers: new Map() };
      this.#groups.set(key, listened);
    }
    if (!listened.workers.has(worker)) listened.workers.set(worker, 0);
  }

  /** @param members 0 ends the listening */
  report(businessId: number, group: string, worker: number, members: number): void {
    if (members > 0) {
      this.listen(businessId, group, worker);
      this.#groups.get(keyOf(businessId, group))?.workers.set(worker, members);
      return;
    }
    const workers = this.#groups.get(keyOf(businessId, group))?.workers;
    workers?.delete(worker);
    if (workers?.size === 0) this.#groups.delete(keyOf(businessId, group));
  }

  workers(businessId: number, group: string): number[] {
    return [...(this.#groups.get(keyOf(businessId, group))?.workers.keys() ?? [])];
  }

  has(businessId: number, group: string): boolean {
    return this.#groups.has(keyOf(businessId, group));
  }

  members(businessId: number, group: string): number {
    let members = 0;
    for (const count of this.#groups.get(keyOf(businessId, group))?.workers.values() ?? []) members += count;
    return members;
  }

  /** Groups that somebody listens to. */
  groups(): Iterable<{ readonly businessId: number; readonly group: string }> {
    return this.#groups.values();
  }

  /** @returns the groups of a worker that is gone */
  workerGone(worker: number): { readonly businessId: number; readonly group: string }[] {
    const left: Listened[] = [];
    for (const [key, listened] of this.#groups) {
      if (!listened.workers.delete(worker)) continue;
      left.push(listened);
      if (listened.workers.size === 0) this.#groups.delete(key);
    }
    return left;
  }
}

function keyOf(businessId: number, group: string): string {
  return `${businessId} ${group}`;
}
