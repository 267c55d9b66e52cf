/**
 * YAML text as plain values, with the line of each: what the configuration and the policies have in common. A file of
 * another form than the configuration is checked by `checkYaml`.
 */
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { ConfigError, type ConfigProblem } from './errors.js';
import { problemsOf } from './issues.js';
import { formatPath, LineFinder, type SettingPath } from './paths.js';
import { SettingSources } from './sources.js';

export interface YamlText {
  readonly value: unknown;
  readonly lines: LineFinder;
}

/**
 * @param source name of the text in errors
 * @throws {ConfigError} not valid YAML
 */
export function readYaml(text: string, source: string): YamlText {
  const lineCounter = new LineCounter();
  // prettyErrors would quote the line, and the line may hold a secret.
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const lines = new LineFinder(document, lineCounter);
  const faults = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
    path: '',
    line: lines.lineAt(pos[0]),
    message: `not valid YAML: ${message}`,
  }));
  if (faults.length > 0) throw new ConfigError(source, inFileOrder(faults));
  return { value: toPlain(document, source), lines };
}

/** What no single setting shows; every problem is reported with the path of the setting to change. */
export type CrossCheck<T> = (value: T, report: (path: SettingPath, message: string) => void) => void;

/**
 * @param text an empty one is an empty map
 * @throws {ConfigError} with every problem found
 */
export function checkYaml<S extends z.ZodType>(
  text: string,
  source: string,
  schema: S,
  crossCheck: CrossCheck<z.output<S>>,
): z.output<S> {
  const { value, lines } = readYaml(text, source);
  const sources = new SettingSources(lines, []);
  const parsed = schema.safeParse(value ?? {});
  const problems = parsed.success ? [] : problemsOf(parsed.error.issues, sources, schema);
  if (parsed.success) {
    crossCheck(parsed.data, (path, message) => problems.push({ path: formatPath(path), ...sources.of(path), message }));
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(source, inFileOrder(problems));
  return parsed.data;
}

export function inFileOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** Too many aliases, or one that names nothing, are found only here. */
function toPlain(document: ReturnType<typeof parseDocument>, source: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new ConfigError(source, [{ path: '', message: `not valid YAML: ${(error as Error).message}` }]);
  }
}
