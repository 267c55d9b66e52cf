/** Fields that are made of others, written. */
import type { StringMap } from './frames.js';
import { writeRest, writeString, writeVarint } from './writer.js';

export function writeFlag(value: boolean): void {
  writeVarint(value ? 1 : 0);
}

export function writeBytes(bytes: Uint8Array): void {
  writeVarint(bytes.length);
  writeRest(bytes);
}

export function writeMap(map: StringMap): void {
  const keys = Object.keys(map);
  writeVarint(keys.length);
  for (const key of keys) {
    writeString(key);
    writeString(map[key] as string);
  }
}
