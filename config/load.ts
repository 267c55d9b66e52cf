/**
 * From the text of a configuration file to the frozen `NodeConfig` that everything else takes: YAML, what the
 * environment and flags lay over it, schema, secrets, cross-checks. Each step reports all it finds before the next one
 * is left out.
 *
 * @see docs/operations.md, "Configuration"
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { crossCheck } from './checks.js';
import { ConfigError, type ConfigProblem } from './errors.js';
import { problemsOf } from './issues.js';
import { applyOverrides, type Override } from './overrides.js';
import { formatPath, type SettingPath } from './paths.js';
import { configSchema, type NodeConfig, type SecureListenerConfig } from './schema.js';
import { resolveSecrets, type SecretSources } from './secrets.js';
import { SettingSources } from './sources.js';
import { inFileOrder, readYaml } from './yaml-text.js';

export interface ParseOptions extends Partial<SecretSources> {
  /** Name of the text in errors. Default `configuration`. */
  readonly source?: string;
  /** Settings over the file's, later ones win. Default none: whoever starts a process says what it obeys. */
  readonly overrides?: readonly Override[];
}

/**
 * @param path the file; relative paths in it (`node.dataDir`, `certFile`, `{ file }`) start at its own folder
 * @throws {ConfigError} it cannot be read, or has problems
 */
export function loadConfig(path: string, options: Pick<ParseOptions, 'env' | 'overrides'> = {}): NodeConfig {
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
  const { source = 'configuration', env = process.env, baseDir = process.cwd(), overrides = [] } = options;
  const failWith = (problems: readonly ConfigProblem[]): void => {
    if (problems.length > 0) throw new ConfigError(source, inFileOrder(problems));
  };

  const { value, lines } = readYaml(text, source);
  const overridden = applyOverrides(value ?? {}, overrides);
  const sources = new SettingSources(lines, overridden.applied);
  const parsed = configSchema.safeParse(overridden.value);
  failWith([...overridden.problems, ...(parsed.success ? [] : problemsOf(parsed.error.issues, sources, configSchema))]);
  if (!parsed.success) throw parsed.error;

  const problems: ConfigProblem[] = [];
  const report = (path: SettingPath, message: string): void => {
    problems.push({ path: formatPath(path), ...sources.of(path), message });
  };
  const config = withAbsolutePaths(resolveSecrets(parsed.data, { env, baseDir }, report), baseDir);
  failWith(problems);
  crossCheck(config, report);
  failWith(problems);
  return deepFreeze(config);
}

function withAbsolutePaths(config: NodeConfig, baseDir: string): NodeConfig {
  const secure = (listener: SecureListenerConfig | null) =>
    listener && {
      ...listener,
      certFile: resolve(baseDir, listener.certFile),
      keyFile: resolve(baseDir, listener.keyFile),
    };
  const { node, access, control } = config;
  const { file } = control.policies;
  return {
    ...config,
    control: { ...control, policies: { file: file === null ? null : resolve(baseDir, file) } },
    node: { ...node, dataDir: resolve(baseDir, node.dataDir) },
    access: { ...access, tls: secure(access.tls), wss: secure(access.wss) },
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
