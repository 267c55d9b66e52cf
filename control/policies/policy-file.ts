/** The text of a policies file. At the start and at a reload it is waited for; in between nothing waits for a disk. */
import { readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { ConfigError } from '../../config/index.js';

export const MAX_FILE_BYTES = 1024 * 1024;

/** @throws {ConfigError} it cannot be read, or is too long */
export function readPolicyFile(file: string): string {
  try {
    checkSize(file, statSync(file).size);
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw toConfigError(file, error);
  }
}

/** @throws {ConfigError} it cannot be read, or is too long */
export async function readPolicyFileLater(file: string): Promise<string> {
  try {
    checkSize(file, (await stat(file)).size);
    return await readFile(file, 'utf8');
  } catch (error) {
    throw toConfigError(file, error);
  }
}

function checkSize(file: string, bytes: number): void {
  if (bytes <= MAX_FILE_BYTES) return;
  throw new ConfigError(file, [{ path: '', message: `has ${bytes} bytes; at most ${MAX_FILE_BYTES} are read` }]);
}

function toConfigError(file: string, error: unknown): ConfigError {
  if (error instanceof ConfigError) return error;
  const reason = (error as NodeJS.ErrnoException).code ?? String(error);
  return new ConfigError(file, [{ path: '', message: `cannot be read (${reason})` }]);
}
