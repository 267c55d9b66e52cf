/**
 * Where a command takes its key from, and the address it goes to. A flag with the key itself is offered last: whoever
 * lists processes can read it.
 */
import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { type Environment, fromEnvironment, Variable } from './environment.js';
import { UsageError } from './errors.js';

export interface KeyArguments {
  url: string;
  keyFile: string | undefined;
  key: string | undefined;
}

const DEFAULT_URL = 'http://127.0.0.1:7300';

/** Adds `--url`, `--key-file` and `--key`. @param whose for the help, such as `the app's` */
export function withKeyOptions<T>(argv: Argv<T>, whose: string): Argv<T & KeyArguments> {
  return argv
    .option('url', {
      type: 'string',
      requiresArg: true,
      default: fromEnvironment(Variable.url) ?? DEFAULT_URL,
      describe: `the node's private listener; also ${Variable.url}`,
    })
    .option('key-file', {
      type: 'string',
      requiresArg: true,
      describe: `file that holds ${whose} key; also ${Variable.keyFile}`,
    })
    .option('key', {
      type: 'string',
      requiresArg: true,
      describe: `${whose} key itself; better: --key-file or ${Variable.key}`,
    })
    .conflicts('key', 'key-file') as unknown as Argv<T & KeyArguments>;
}

/** Flags before the environment, files before keys. @throws {UsageError} there is none, or the file cannot be read */
export function readKey(
  { key, keyFile }: Pick<KeyArguments, 'key' | 'keyFile'>,
  env: Environment = process.env,
): string {
  const found = keyFile !== undefined ? readSecretFile('--key-file', keyFile) : (key ?? keyFromEnvironment(env));
  if (found !== undefined && found.trim() !== '') return found.trim();
  throw new UsageError(`no key: give --key-file FILE, or set ${Variable.keyFile} or ${Variable.key}`);
}

function keyFromEnvironment(env: Environment): string | undefined {
  const file = fromEnvironment(Variable.keyFile, env);
  return file === undefined ? fromEnvironment(Variable.key, env) : readSecretFile(Variable.keyFile, file);
}

/** @param flag that named it, for the error */
export function readSecretFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    throw new UsageError(`${flag}: ${path} cannot be read (${reason})`, { cause: error });
  }
}
