/**
 * Groups as far as they are on this node: which access workers listen, the channel that is open while one does, and
 * the sizes that the engine is told. A worker that wants to listen is told where the stream stands only when this node
 * receives, so that nothing is numbered behind the answer and missed.
 */
import type { Destinations } from './destinations.js';
import type { Bus, GroupRecord, GroupStore } from './engine-ports.js';
import { GroupChannels } from './group-channels.js';
import { GroupListeners } from './group-listeners.js';
import { GroupSizes } from './group-sizes.js';
import type { GroupSize } from './router-link.js';

/** Groups restored at once. */
const RESTORE_PART = 100;
/** A group that is missing may be one that the engine has forgotten: by then it was restored, or is dissolved. */
const MISSING_AFTER_MS = 10_000;

export interface LocalGroupsOptions {
  readonly incarnation: string;
  readonly groups: GroupStore;
  readonly bus: Bus;
  readonly destinations: Destinations;
  readonly onError: (error: unknown) => void;
}

export class LocalGroups {
  readonly #options: LocalGroupsOptions;
  readonly #listeners = new GroupListeners();
  readonly #channels: GroupChannels;
  readonly #sizes: GroupSizes;

  constructor(options: LocalGroupsOptions) {
    const { bus, groups, incarnation, onError } = options;
    this.#options = options;
    this.#channels = new GroupChannels(bus, onError);
    const onMissing = (size: GroupSize): void => {
      setTimeout(() => void this.#lookAgain(size).catch(onError), MISSING_AFTER_MS).unref();
    };
    this.#sizes = new GroupSizes({ incarnation, groups, onError, onMissing });
  }

  workers(businessId: number, group: string): number[] {
    return this.#listeners.workers(businessId, group);
  }

  /**
   * A worker begins to listen.
   *
   * @returns where the group's stream stands; `undefined` when there is no such group
   * @throws {EngineUnavailableError} the worker does not listen, unless it did before
   */
  async listen(worker: number, businessId: number, group: string): Promise<GroupRecord | undefined> {
    const had = this.#listeners.members(businessId, group);
    this.#listeners.listen(businessId, group, worker);
    try {
      await this.#channels.open(businessId, group);
      const record = await this.#options.groups.get(businessId, group);
      if (record === undefined) this.#report({ businessId, group, members: 0 }, worker);
      return record;
    } catch (error) {
      if (had === 0 && this.#listeners.members(businessId, group) === 0) {
        this.#report({ businessId, group, members: 0 }, worker);
      }
      throw error;
    }
  }

  report(worker: number, sizes: readonly GroupSize[]): void {
    for (const size of sizes) this.#report(size, worker);
  }

  workerGone(worker: number): void {
    for (const { businessId, group } of this.#listeners.workerGone(worker)) this.#changed(businessId, group);
  }

  /** Ends every membership here. */
  dissolve(businessId: number, group: string): void {
    const { destinations } = this.#options;
    for (const worker of this.#listeners.workers(businessId, group)) {
      destinations.local(worker)?.send('dissolveGroup', { businessId, group });
      this.#report({ businessId, group, members: 0 }, worker);
    }
  }

  /** The engine knows how many members there are here. */
  settled(): Promise<void> {
    return this.#sizes.flush();
  }

  /**
   * The engine has forgotten everything: groups that have members come into being anew, and what is here is told again.
   *
   * @throws {EngineUnavailableError}
   */
  async restore(): Promise<void> {
    const { groups } = this.#options;
    this.#sizes.forget();
    const all = [...this.#listeners.groups()];
    for (let from = 0; from < all.length; from += RESTORE_PART) {
      const part = all.slice(from, from + RESTORE_PART);
      await Promise.all(part.map(({ businessId, group }) => groups.create(businessId, group)));
      for (const { businessId, group } of part) this.#changed(businessId, group);
      await this.#sizes.flush();
    }
  }

  stop(): void {
    this.#channels.stop();
    this.#sizes.stop();
  }

  /** Where the word that a group was dissolved is lost, this finds out. */
  async #lookAgain({ businessId, group }: GroupSize): Promise<void> {
    if (!this.#listeners.has(businessId, group)) return;
    const record = await this.#options.groups.get(businessId, group);
    if (record === undefined) this.dissolve(businessId, group);
    else this.#changed(businessId, group);
  }

  #report({ businessId, group, members }: GroupSize, worker: number): void {
    this.#listeners.report(businessId, group, worker, members);
    this.#changed(businessId, group);
  }

  #changed(businessId: number, group: string): void {
    if (this.#listeners.has(businessId, group)) void this.#channels.open(businessId, group).catch(() => {});
    else this.#channels.close(businessId, group);
    this.#sizes.report({ businessId, group, members: this.#listeners.members(businessId, group) });
  }
}
