/** Which settings differ between two configurations, by path and never by value: a value may be a secret. */
import { isDeepStrictEqual } from 'node:util';
import type { NodeConfig } from './schema.js';
import { isMap } from './schema-path.js';

/**
 * @returns paths such as `limits.inFlight`, in the order of the schema; a list counts as one setting, and an app or
 *   business that came or went as one
 */
export function changedSettings(before: NodeConfig, after: NodeConfig): string[] {
  return differences(before, after, []).map((path) => path.join('.'));
}

function differences(before: unknown, after: unknown, path: readonly string[]): (readonly string[])[] {
  if (!isMap(before) || !isMap(after)) return isDeepStrictEqual(before, after) ? [] : [path];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => differences(own(before, name), own(after, name), [...path, name]));
}

function own(map: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}
