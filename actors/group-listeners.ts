/** Which access workers listen to a group, and with how many members: what the router needs for a multicast. */
export class GroupListeners {
  /** By group, then by worker: members there. A worker may listen before its first member has joined. */
  readonly #groups = new Map<string, Map<number, number>>();

  listen(businessId: number, group: string, worker: number): void {
    const key = keyOf(businessId, group);
    let workers = this.#groups.get(key);
    if (workers === undefined) {
      workers = new Map();
      this.#groups.set(key, workers);
    }
    if (!workers.has(worker)) workers.set(worker, 0);
  }

  /** @param members 0 ends the listening */
  report(businessId: number, group: string, worker: number, members: number): void {
    const key = keyOf(businessId, group);
    if (members > 0) {
      this.listen(businessId, group, worker);
      this.#groups.get(key)?.set(worker, members);
      return;
    }
    const workers = this.#groups.get(key);
    workers?.delete(worker);
    if (workers?.size === 0) this.#groups.delete(key);
  }

  workers(businessId: number, group: string): number[] {
    return [...(this.#groups.get(keyOf(businessId, group))?.keys() ?? [])];
  }

  members(businessId: number, group: string): number {
    let members = 0;
    for (const count of this.#groups.get(keyOf(businessId, group))?.values() ?? []) members += count;
    return members;
  }

  workerGone(worker: number): void {
    for (const [key, workers] of this.#groups) {
      workers.delete(worker);
      if (workers.size === 0) this.#groups.delete(key);
    }
  }
}

function keyOf(businessId: number, group: string): string {
  return `${businessId} ${group}`;
}
