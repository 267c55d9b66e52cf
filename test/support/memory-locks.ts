/** A LockManager in memory: exclusive locks in the order asked for, and the death of whoever holds one. */
import type { LockManagerLike } from '../../sdk/tabs/life-signs.js';

interface Held {
  readonly waiting: (() => void)[];
  readonly free: () => void;
}

export class MemoryLocks implements LockManagerLike {
  readonly #held = new Map<string, Held>();

  /** Names of the locks that are held, in the order in which they were granted. */
  get names(): string[] {
    return [...this.#held.keys()];
  }

  request(name: string, { signal }: { readonly signal?: AbortSignal }, callback: () => Promise<void> | undefined) {
    return new Promise<void>((resolve, reject) => {
      const grant = async (): Promise<void> => {
        const waiting = this.#held.get(name)?.waiting ?? [];
        await new Promise<void>((free) => {
          this.#held.set(name, { waiting, free });
          void Promise.resolve(callback()).then(free);
        });
        this.#held.delete(name);
        resolve();
        const next = waiting.shift();
        if (next !== undefined) next();
      };
      const holder = this.#held.get(name);
      if (holder === undefined) return void grant();
      const turn = (): void => void grant();
      holder.waiting.push(turn);
      signal?.addEventListener('abort', () => {
        holder.waiting.splice(holder.waiting.indexOf(turn), 1);
        reject(signal.reason);
      });
    });
  }

  /** The holder is gone without a word. */
  kill(name: string): void {
    this.#held.get(name)?.free();
  }
}
