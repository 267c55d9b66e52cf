/**
 * A standard storage in a file, for Node: one JSON object of texts, read once and written whole at each change. For
 * `memory` as it is, and for `storage` in `webStorage(fileStorage(path))`. One process at a time.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { WebStorageLike } from './storage.js';

/** A device secret may lie in it. */
const OWNER_ONLY = 0o600;

/**
 * @param path is made, with its folders, at the first change; a file that cannot be read as such counts as empty
 * @returns a storage whose changes throw what the file system throws
 */
export function fileStorage(path: string): WebStorageLike {
  const kept = read(path);
  const write = (): void => {
    mkdirSync(dirname(path), { recursive: true });
    // Whoever is ended in the middle of it leaves the old file.
    const next = `${path}.next`;
    writeFileSync(next, JSON.stringify(Object.fromEntries(kept)), { mode: OWNER_ONLY });
    renameSync(next, path);
  };
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem(key, value) {
      kept.set(key, value);
      write();
    },
    removeItem(key) {
      if (kept.delete(key)) write();
    },
  };
}

function read(path: string): Map<string, string> {
  try {
    const entries = Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>);
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return new Map();
  }
}
