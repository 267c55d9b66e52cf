/**
 * Settings laid over the file: `TRUNKLINE_ACCESS__TCP__PORT=7100` in the environment, `--set access.tcp.port=7100` on
 * the command line. They change the file's plain values before the schema sees them, so one check judges the whole.
 *
 * A value is read as the setting's own type: a text stands as it is, without quotes; everything else is YAML; a list
 * may also be written with commas.
 *
 * @see docs/operations.md, "Environment and flags"
 */
import { parseDocument } from 'yaml';
import type { ConfigProblem } from './errors.js';
import { formatPath } from './paths.js';
import { configSchema } from './schema.js';
import { isMap, type ResolvedSetting, resolveSetting } from './schema-path.js';
import type { AppliedOverride } from './sources.js';

export interface Override {
  /** In words, for errors. */
  readonly source: string;
  /** Names as somebody wrote them. */
  readonly segments: readonly string[];
  readonly text: string;
}

const PREFIX = 'TRUNKLINE_';
const SEPARATOR = '__';

/**
 * Every variable that starts with `TRUNKLINE_` and has a double underscore behind that; a setting always has two
 * levels, so `TRUNKLINE_URL` and its like are none. A parent comes before what stands below it.
 */
export function environmentOverrides(env: Readonly<Record<string, string | undefined>>): Override[] {
  return Object.entries(env)
    .filter(([name]) => name.startsWith(PREFIX) && name.slice(PREFIX.length).includes(SEPARATOR))
    .map(([name, text = '']) => ({
      source: `environment variable ${name}`,
      segments: name.slice(PREFIX.length).split(SEPARATOR),
      text,
    }))
    .sort((a, b) => a.segments.length - b.segments.length || (a.source < b.source ? -1 : 1));
}

/** @param setting `access.tcp.port=7100`. @returns undefined when that is not its form */
export function flagOverride(setting: string): Override | undefined {
  const equals = setting.indexOf('=');
  if (equals < 1) return undefined;
  const path = setting.slice(0, equals);
  return { source: `--set ${path}`, segments: path.split('.'), text: setting.slice(equals + 1) };
}

export interface Overridden {
  readonly value: unknown;
  readonly applied: readonly AppliedOverride[];
  readonly problems: readonly ConfigProblem[];
}

/** @param value the file as plain data; stays as it is. Later overrides win. */
export function applyOverrides(value: unknown, overrides: readonly Override[]): Overridden {
  let changed = value;
  const applied: AppliedOverride[] = [];
  const problems: ConfigProblem[] = [];
  for (const { source, segments, text } of overrides) {
    const setting = resolveSetting(configSchema, segments, changed);
    const parsed = 'schema' in setting ? parseValue(setting, text) : { problem: unknownSetting(setting.known) };
    if ('problem' in parsed || !('schema' in setting)) {
      problems.push({ path: formatPath(setting.path), source, message: 'problem' in parsed ? parsed.problem : '' });
      continue;
    }
    changed = withValue(changed, setting.path, parsed.value);
    applied.push({ path: setting.path, source });
  }
  return { value: changed, applied, problems };
}

function unknownSetting(known: readonly string[]): string {
  return `there is no such setting${known.length === 0 ? '' : `; here can stand: ${known.join(', ')}`}`;
}

type Parsed = { readonly value: unknown } | { readonly problem: string };

function parseValue({ schema }: ResolvedSetting, text: string): Parsed {
  switch (schema._zod.def.type) {
    case 'string':
    case 'enum':
      return { value: text };
    case 'union':
      // A secret: in place, or a reference.
      return text.trimStart().startsWith('{') ? parseYaml(text) : { value: text };
    case 'array':
      return text.trimStart().startsWith('[') ? parseYaml(text) : { value: splitList(text) };
    default:
      return parseYaml(text);
  }
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function parseYaml(text: string): Parsed {
  const document = parseDocument(text, { prettyErrors: false });
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) return { problem: `not valid YAML: ${error.message}` };
  try {
    return { value: document.toJS() };
  } catch (thrown) {
    return { problem: `not valid YAML: ${(thrown as Error).message}` };
  }
}

function withValue(value: unknown, path: readonly string[], leaf: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return leaf;
  const map = isMap(value) ? value : {};
  const inner = Object.hasOwn(map, head) ? map[head] : undefined;
  return { ...map, [head]: withValue(inner, rest, leaf) };
}
