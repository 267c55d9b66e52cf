/**
 * Checks on what the application hands over, because the server answers a name or map beyond the protocol's
 * limits by closing the connection and telling the client to stay away.
 */
import {
  MAX_MAP_ENTRIES,
  MAX_MAP_KEY_BYTES,
  MAX_MAP_VALUE_BYTES,
  MAX_NAME_BYTES,
  type StringMap,
  utf8Length,
} from '../protocol/index.js';
import { InvalidArgumentError } from './errors.js';

/** @throws {InvalidArgumentError} not 1 to 128 bytes */
export function checkName(field: string, name: string): string {
  const length = typeof name === 'string' ? utf8Length(name) : 0;
  if (length < 1 || length > MAX_NAME_BYTES) {
    throw new InvalidArgumentError(field, `must be a text of 1 to ${MAX_NAME_BYTES} bytes`);
  }
  return name;
}

/** @throws {InvalidArgumentError} too many pairs, one too long, or a value that is not a text */
export function checkMap(field: string, map: StringMap): StringMap {
  const pairs = Object.entries(map);
  if (pairs.length > MAX_MAP_ENTRIES) throw new InvalidArgumentError(field, `has more than ${MAX_MAP_ENTRIES} pairs`);
  for (const [key, value] of pairs) {
    if (typeof value !== 'string') throw new InvalidArgumentError(field, `the value of ${key} is not a text`);
    if (utf8Length(key) > MAX_MAP_KEY_BYTES)
      throw new InvalidArgumentError(field, `a key above ${MAX_MAP_KEY_BYTES} bytes`);
    if (utf8Length(value) > MAX_MAP_VALUE_BYTES) {
      throw new InvalidArgumentError(field, `the value of ${key} is above ${MAX_MAP_VALUE_BYTES} bytes`);
    }
  }
  return map;
}
