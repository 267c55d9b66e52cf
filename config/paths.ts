/**
 * Where a setting stands: its printable path, and its line in the YAML document. The line of a setting that is
 * missing is the line of the nearest parent that is there.
 */
import { type Document, isMap, isNode, isScalar, type LineCounter } from 'yaml';

/** Keys and indexes from the top of the file to a setting. */
export type SettingPath = readonly PropertyKey[];

/** @returns the path as a person writes it: `businesses.im.keys[0]` */
export function formatPath(path: SettingPath): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

/** Finds lines in one parsed document. */
export class LineFinder {
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  /** @returns the line counted from 1, undefined for an empty document */
  lineOf(path: SettingPath): number | undefined {
    for (let length = path.length; length >= 0; length--) {
      const offset = this.#offsetOf(path.slice(0, length));
      if (offset !== undefined) return this.lineAt(offset);
    }
    return undefined;
  }

  lineAt(offset: number): number {
    return this.#lines.linePos(offset).line;
  }

  /** A setting in a map stands where its key stands: its value may begin lines below. */
  #offsetOf(path: SettingPath): number | undefined {
    const last = path.at(-1);
    const parent = path.length === 0 ? undefined : this.#nodeAt(path.slice(0, -1));
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(last));
      return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
    }
    const node = this.#nodeAt(path);
    return isNode(node) ? node.range?.[0] : undefined;
  }

  #nodeAt(path: SettingPath): unknown {
    if (path.length === 0) return this.#document.contents;
    return this.#document.getIn(path, true);
  }
}
