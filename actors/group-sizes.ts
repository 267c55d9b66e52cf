/**
 * How many members groups have on this node, told to the engine in batches: the first member and the last one's leave
 * at once, since a group with nobody and a group with somebody are what matters, everything between a moment later.
 */
import type { GroupStore } from './engine-ports.js';
import type { GroupSize } from './router-link.js';

const GATHER_MS = 100;
const RETRY_MS = 1_000;

export interface GroupSizesOptions {
  readonly incarnation: string;
  readonly groups: Pick<GroupStore, 'setSizes'>;
  readonly onError: (error: unknown) => void;
  /** A group that has members here and does not exist. */
  onMissing(size: GroupSize): void;
}

export class GroupSizes {
  readonly #options: GroupSizesOptions;
  /** What is to be told, by group. */
  readonly #waiting = new Map<string, GroupSize>();
  /** What was told last; a group that is not here has none. */
  readonly #told = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isSoon = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: GroupSizesOptions) {
    this.#options = options;
  }

  report(size: GroupSize): void {
    const key = keyOf(size);
    const told = this.#told.get(key) ?? 0;
    if (told === size.members) {
      this.#waiting.delete(key);
      return;
    }
    this.#waiting.set(key, size);
    this.#schedule(told === 0 || size.members === 0 ? 0 : GATHER_MS);
  }

  /** The engine has forgotten what it was told. */
  forget(): void {
    this.#told.clear();
  }

  /** Tells what waits, now. */
  flush(): Promise<void> {
    this.stop();
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(inMs: number): void {
    if (this.#timer !== undefined && (this.#isSoon || inMs > 0)) return;
    this.stop();
    this.#isSoon = inMs === 0;
    this.#timer = setTimeout(() => void this.flush(), inMs).unref();
  }

  async #write(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const { incarnation, groups, onError, onMissing } = this.#options;
    const sizes = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const size of sizes) {
      if (size.members === 0) this.#told.delete(keyOf(size));
      else this.#told.set(keyOf(size), size.members);
    }
    try {
      const missing = await groups.setSizes(incarnation, sizes);
      for (const size of missing) {
        this.#told.delete(keyOf(size));
        onMissing(size);
      }
    } catch (error) {
      onError(error);
      for (const size of sizes) {
        // Whether it was told is not known.
        this.#told.set(keyOf(size), Number.NaN);
        if (!this.#waiting.has(keyOf(size))) this.#waiting.set(keyOf(size), size);
      }
      this.#schedule(RETRY_MS);
    }
  }
}

function keyOf({ businessId, group }: GroupSize): string {
  return `${businessId} ${group}`;
}
