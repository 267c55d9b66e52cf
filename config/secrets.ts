/**
 * Secrets in place of their references. A file that everybody on the machine may read is refused: a secret in it
 * is none. The walk goes over the schema's output as it is, so that a new secret in the schema needs nothing here.
 */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SettingPath } from './paths.js';
import type { NodeConfig, ParsedConfig } from './schema.js';

export const MIN_SECRET_CHARACTERS = 16;

/** Mode bits of "others": read and write. */
export const WORLD_ACCESS = 0o006;

/** Rules of another program hold there. */
const ANY_LENGTH: readonly string[] = ['engine.password', 'engine.sentinelPassword'];

export interface SecretSources {
  /** Where `{ env }` looks. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative `{ file }` paths start here. */
  readonly baseDir: string;
}

/**
 * @param report called for each secret that cannot be had, with its path and the reason; the result is then of no use
 * @returns a copy in which every `{ file }` and `{ env }` is the secret itself, surrounding white space removed
 */
export function resolveSecrets(
  config: ParsedConfig,
  sources: SecretSources,
  report: (path: SettingPath, message: string) => void,
): NodeConfig {
  const walk = (value: unknown, path: SettingPath): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    if (!NO_SECRETS.includes(path.join('.')) && isReference(value)) {
      const minCharacters = ANY_LENGTH.includes(path.join('.')) ? 1 : MIN_SECRET_CHARACTERS;
      const secret = fetchSecret(value, sources, minCharacters);
      if (typeof secret === 'string') return secret;
      report(path, secret.problem);
      return '';
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, [...path, key])]));
  };
  return walk(config, []) as NodeConfig;
}

/** Maps that look like a reference and are none. */
const NO_SECRETS: readonly string[] = ['control.policies'];

type Reference = { readonly file: string } | { readonly env: string };

/** No other map of the schema has a single setting called `file` or `env`; names of apps and businesses hold maps. */
function isReference(value: object): value is Reference {
  const entries = Object.entries(value);
  const [key, target] = entries[0] ?? [];
  return entries.length === 1 && (key === 'file' || key === 'env') && typeof target === 'string';
}

type Fetched = string | { readonly problem: string };

function fetchSecret(reference: Reference, { baseDir, env }: SecretSources, minCharacters: number): Fetched {
  const { secret, source } =
    'file' in reference ? fromFile(reference.file, baseDir) : fromEnvironment(reference.env, env);
  if (typeof secret !== 'string' || secret.length >= minCharacters) return secret;
  return { problem: `${source} holds ${secret.length} characters; a secret has at least ${minCharacters}` };
}

interface Read {
  readonly secret: Fetched;
  /** In words. */
  readonly source: string;
}

function fromFile(file: string, baseDir: string): Read {
  const path = resolve(baseDir, file);
  const source = `the file ${path}`;
  try {
    if ((statSync(path).mode & WORLD_ACCESS) !== 0) {
      return { source, secret: { problem: `${source} is open to every user of this machine; run: chmod 600 ${path}` } };
    }
    return { source, secret: readFileSync(path, 'utf8').trim() };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return { source, secret: { problem: `${source} cannot be read (${reason})` } };
  }
}

function fromEnvironment(name: string, env: SecretSources['env']): Read {
  const source = `the environment variable ${name}`;
  const value = env[name]?.trim();
  return { source, secret: value === undefined || value === '' ? { problem: `${source} is not set` } : value };
}
