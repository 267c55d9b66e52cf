/**
 * Walking the schema by setting names: what may stand at a place, and which place a name means that somebody wrote
 * with other capitals. Environment variables cannot hold dashes or capitals that survive every shell, so names are
 * compared without case, dashes and underscores.
 */
import { z } from 'zod';
import type { SettingPath } from './paths.js';

type Schema = z.core.$ZodType;

/** The names of the settings below `path`; empty where anything may stand. */
export function settingsAt(schema: Schema, path: SettingPath): string[] {
  const plain = unwrap(schema);
  const [head, ...rest] = path;
  if (plain instanceof z.ZodObject) {
    if (head === undefined) return Object.keys(plain.shape);
    const next = plain.shape[String(head)];
    return next === undefined ? [] : settingsAt(next, rest);
  }
  if (plain instanceof z.ZodDiscriminatedUnion) {
    return [...new Set(plain.options.flatMap((option) => settingsAt(option, path)))];
  }
  if (head === undefined) return [];
  if (plain instanceof z.ZodRecord) return settingsAt(plain.valueType, rest);
  if (plain instanceof z.ZodArray) return settingsAt(plain.element, rest);
  return [];
}

export interface ResolvedSetting {
  readonly path: readonly string[];
  /** What may stand there, without its default. */
  readonly schema: Schema;
}

export interface UnknownSetting {
  /** Up to and with the name that nobody knows. */
  readonly path: readonly string[];
  /** What could stand there instead; empty when a setting has nothing below it. */
  readonly known: readonly string[];
}

/**
 * @param segments names as somebody wrote them
 * @param value the configuration so far: names of apps and businesses are those it has, else made from the segment
 */
export function resolveSetting(
  schema: Schema,
  segments: readonly string[],
  value: unknown,
): ResolvedSetting | UnknownSetting {
  const path: string[] = [];
  let place = unwrap(schema);
  let present = value;
  for (const segment of segments) {
    const names = namesAt(place, present);
    const name = names?.find((each) => fold(each) === fold(segment)) ?? newName(place, segment);
    if (name === undefined) return { path: [...path, segment], known: names ?? [] };
    path.push(name);
    place = unwrap(below(place, name));
    present = isMap(present) ? present[name] : undefined;
  }
  return { path, schema: place };
}

export function unwrap(schema: Schema): Schema {
  if (
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
  ) {
    return unwrap(schema.unwrap());
  }
  return schema;
}

function namesAt(place: Schema, present: unknown): string[] | undefined {
  if (place instanceof z.ZodObject || place instanceof z.ZodDiscriminatedUnion) return settingsAt(place, []);
  if (place instanceof z.ZodRecord) return isMap(present) ? Object.keys(present) : [];
  return undefined;
}

/** A map of names takes a new one. */
function newName(place: Schema, segment: string): string | undefined {
  return place instanceof z.ZodRecord ? segment.toLowerCase().replaceAll('_', '-') : undefined;
}

/** In a choice of maps a name means the same in each: which one it is may not be known yet. */
function below(place: Schema, name: string): Schema {
  if (place instanceof z.ZodRecord) return place.valueType;
  if (place instanceof z.ZodDiscriminatedUnion) {
    return below(place.options.find((option) => settingsAt(option, []).includes(name)) as Schema, name);
  }
  return (place as z.ZodObject).shape[name] as Schema;
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
