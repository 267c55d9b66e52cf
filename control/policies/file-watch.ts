/**
 * Says that a file may have changed. Its folder is watched, since a file that is replaced by a rename is another file, and
 * a mounted one changes by a link beside it; a slow look in between finds what a file system does not tell.
 */
import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Writers write in several steps. */
const SETTLE_MS = 200;
const LOOK_EVERY_MS = 5_000;

export class FileWatch {
  readonly #onChange: () => void;
  #watcher: FSWatcher | undefined;
  #settle: NodeJS.Timeout | undefined;
  readonly #look: NodeJS.Timeout;

  constructor(path: string, onChange: () => void) {
    this.#onChange = onChange;
    this.#look = setInterval(onChange, LOOK_EVERY_MS).unref();
    this.#watch(dirname(path));
  }

  close(): void {
    this.#watcher?.close();
    clearTimeout(this.#settle);
    clearInterval(this.#look);
  }

  /** Where it cannot be watched, or no longer, there is the slow look. */
  #watch(folder: string): void {
    try {
      this.#watcher = watch(folder, { persistent: false }, () => this.#touched());
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      this.#watcher = undefined;
    }
  }

  #touched(): void {
    clearTimeout(this.#settle);
    this.#settle = setTimeout(this.#onChange, SETTLE_MS).unref();
  }
}
