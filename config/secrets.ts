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
    if (isReference(value)) {
      const secret = 'file' in value ? fromFile(value.file, sources.baseDir) : fromEnvironment(value.env, sources.env);
      if (typeof secret === 'string') return secret;
      report(path, secret.problem);
      return '';
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, [...path, key])]));
  };
  return walk(config, []) as NodeConfig;
}

type Reference = { readonly file: string } | { readonly env: string };

/** No map of the schema has a single setting called `file` or `env`; names of apps and businesses hold maps. */
function isReference(value: object): value is Reference {
  const entries = Object.entries(value);
  const [key, target] = entries[0] ?? [];
  return entries.length === 1 && (key === 'file' || key === 'env') && typeof target === 'string';
}

function fromFile(file: string, baseDir: string): string | { problem: string } {
  const path = resolve(baseDir, file);
  try {
    if ((statSync(path).mode & WORLD_ACCESS) !== 0) {
      return { problem: `the file ${path} is open to every user of this machine; run: chmod 600 ${path}` };
    }
    return longEnough(readFileSync(path, 'utf8').trim(), `the file ${path}`);
  } catch (error) {
    return { problem: `the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})` };
  }
}

function fromEnvironment(name: string, env: SecretSources['env']): string | { problem: string } {
  const value = env[name]?.trim();
  if (value === undefined || value === '') return { problem: `the environment variable ${name} is not set` };
  return longEnough(value, `the environment variable ${name}`);
}

function longEnough(secret: string, source: string): string | { problem: string } {
  if (secret.length >= MIN_SECRET_CHARACTERS) return secret;
  return { problem: `${source} holds ${secret.length} characters; a secret has at least ${MIN_SECRET_CHARACTERS}` };
}
