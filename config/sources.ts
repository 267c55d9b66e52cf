/**
 * Where a setting's value came from, for whoever has to repair it: a line of the file, or the environment variable or
 * flag that was laid over it.
 */
import type { LineFinder, SettingPath } from './paths.js';

/** A setting that something else than the file gave. */
export interface AppliedOverride {
  readonly path: SettingPath;
  /** In words: `environment variable TRUNKLINE_NODE__WORKERS`, `--set node.workers`. */
  readonly source: string;
}

export class SettingSources {
  readonly #lines: LineFinder;
  readonly #applied: readonly AppliedOverride[];

  constructor(lines: LineFinder, applied: readonly AppliedOverride[]) {
    this.#lines = lines;
    this.#applied = applied;
  }

  /** The last override at or above the setting; its line in the file when there is none. */
  of(path: SettingPath): { readonly line?: number | undefined; readonly source?: string } {
    const override = this.#applied.findLast((each) => each.path.every((part, i) => part === path[i]));
    return override === undefined ? { line: this.#lines.lineOf(path) } : { source: override.source };
  }
}
