/**
 * From the text of a configuration file to the frozen `NodeConfig` that everything else takes: YAML, schema,
 * secrets, cross-checks. Each step reports all it finds before the next one is left out.
 *
 * @see docs/operations.md, "Configuration"
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { crossCheck } from './checks.js';
import { ConfigError, type ConfigProblem } from './errors.js';
import { problemsOf } from './issues.js';
import { formatPath, LineFinder, type SettingPath } from './paths.js';
import { configSchema, type NodeConfig } from './schema.js';
import { resolveSecrets, type SecretSources } from './secrets.js';

export interface ParseOptions extends Partial<SecretSources> {
  /** Name of the text in errors. Default `configuration`. */
  readonly source?: string;
}

/**
 * @param path the file; relative paths in it (`node.dataDir`, `{ file }`) start at its own folder
 * @throws {ConfigError} it cannot be read, or has problems
 */
export function loadConfig(path: string, options: Pick<ParseOptions, 'env'> = {}): NodeConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ConfigError(path, [{ path: '', message: `cannot be read (${reason})` }]);
  }
  return parseConfig(text, { ...options, source: path, baseDir: dirname(resolve(path)) });
}

/**
 * @param options `env` defaults to the process's environment, `baseDir` to the working directory
 * @throws {ConfigError} with every problem found
 */
export function parseConfig(text: string, options: ParseOptions = {}): NodeConfig {
  const { source = 'configuration', env = process.env, baseDir = process.cwd() } = options;
  const failWith = (problems: readonly ConfigProblem[]): void => {
    if (problems.length > 0) throw new ConfigError(source, inFileOrder(problems));
  };

  const lineCounter = new LineCounter();
  // prettyErrors would quote the line, and the line may hold a secret.
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const lines = new LineFinder(document, lineCounter);
  failWith(
    [...document.errors, ...document.warnings].map(({ message, pos }) => ({
      path: '',
      line: lines.lineAt(pos[0]),
      message: `not valid YAML: ${message}`,
    })),
  );

  const parsed = configSchema.safeParse(toPlain(document, source) ?? {});
  if (!parsed.success) throw new ConfigError(source, inFileOrder(problemsOf(parsed.error.issues, lines)));

  const problems: ConfigProblem[] = [];
  const report = (path: SettingPath, message: string): void => {
    problems.push({ path: formatPath(path), line: lines.lineOf(path), message });
  };
  const config = resolveSecrets(parsed.data, { env, baseDir }, report);
  failWith(problems);
  crossCheck(config, report);
  failWith(problems);
  return deepFreeze({ ...config, node: { ...config.node, dataDir: resolve(baseDir, config.node.dataDir) } });
}

/** Too many aliases, or one that names nothing, are found only here. */
function toPlain(document: ReturnType<typeof parseDocument>, source: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new ConfigError(source, [{ path: '', message: `not valid YAML: ${(error as Error).message}` }]);
  }
}

function inFileOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
