/**
 * Where a command takes its key from. A flag is offered last: whoever lists processes can read it.
 */
import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { UsageError } from './errors.js';

export interface KeyArguments {
  url: string;
  keyFile: string | undefined;
  key: string | undefined;
}

export const KEY_VARIABLE = 'TRUNKLINE_KEY';
export const URL_VARIABLE = 'TRUNKLINE_URL';
const DEFAULT_URL = 'http://127.0.0.1:7300';

/** Adds `--url`, `--key-file` and `--key`. @param whose for the help, such as `the app's` */
export function withKeyOptions<T>(argv: Argv<T>, whose: string): Argv<T & KeyArguments> {
  return argv
    .option('url', {
      type: 'string',
      default: process.env[URL_VARIABLE] ?? DEFAULT_URL,
      describe: `the node's private listener; also ${URL_VARIABLE}`,
    })
    .option('key-file', { type: 'string', describe: `file that holds ${whose} key` })
    .option('key', { type: 'string', describe: `${whose} key itself; better: --key-file or ${KEY_VARIABLE}` })
    .conflicts('key', 'key-file') as unknown as Argv<T & KeyArguments>;
}

/** @throws {UsageError} there is none, or the file cannot be read */
export function readKey({ key, keyFile }: Pick<KeyArguments, 'key' | 'keyFile'>, env = process.env): string {
  const found = (keyFile === undefined ? (key ?? env[KEY_VARIABLE]) : readKeyFile(keyFile))?.trim();
  if (found !== undefined && found !== '') return found;
  throw new UsageError(`no key: set ${KEY_VARIABLE}, or give --key-file FILE or --key KEY`);
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    throw new UsageError(`--key-file: ${path} cannot be read (${reason})`, { cause: error });
  }
}
