/**
 * Files that hold a secret: mode 0600 or they are refused, written whole or not at all.
 *
 * A new file appears by `link`, not by writing in place: it never shows half its content, and of two processes
 * that start on one empty directory exactly one wins.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InvalidKeyError, SecretExposedError } from './errors.js';

const SECRET_FILE_MODE = 0o600;
const SECRET_DIR_MODE = 0o700;
const MAX_KEY_FILE_BYTES = 16 * 1024;

/**
 * @param maxBytes what the file may have; enough for a key by default
 * @returns the text, or `undefined` when there is no such file
 * @throws {SecretExposedError} group or others may read or write it
 * @throws {InvalidKeyError} not a regular file, or longer
 */
export async function readSecretFile(path: string, maxBytes = MAX_KEY_FILE_BYTES): Promise<string | undefined> {
  const file = await open(path, 'r').catch(absent);
  if (file === undefined) return undefined;
  try {
    const info = await file.stat();
    if (!info.isFile()) throw new InvalidKeyError(path, 'is not a regular file');
    const mode = info.mode & 0o777;
    if ((mode & 0o077) !== 0) throw new SecretExposedError(path, mode, SECRET_FILE_MODE);
    if (info.size > maxBytes) throw new InvalidKeyError(path, `is longer than ${maxBytes} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Makes a file that only its owner reads. @returns false, and nothing is written, when the file exists */
export async function createSecretFile(path: string, text: string): Promise<boolean> {
  const temporary = await writeTemporary(path, text);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await unlink(temporary);
  }
}

/** Puts a file that only its owner reads in the place of another; a reader sees the old one or the new one, whole. */
export async function replaceSecretFile(path: string, text: string): Promise<void> {
  const temporary = await writeTemporary(path, text);
  try {
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary);
    throw error;
  }
  // The name is in the directory, and that is what a power cut would lose.
  const directory = await open(dirname(path), 'r');
  await directory.sync().finally(() => directory.close());
}

/** @returns the path of a new file beside `path` whose content is on the disk */
async function writeTemporary(path: string, text: string): Promise<string> {
  const temporary = join(dirname(path), `.${randomBytes(8).toString('hex')}.tmp`);
  const file = await open(temporary, 'wx', SECRET_FILE_MODE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return temporary;
}

/**
 * Makes the directory, and those above it, with mode 0700 when absent.
 *
 * @throws {SecretExposedError} it exists, and group or others may put files into it
 */
export async function ensureSecretDir(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: SECRET_DIR_MODE });
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & 0o022) !== 0) throw new SecretExposedError(path, mode, SECRET_DIR_MODE);
}

function absent(error: unknown): undefined {
  if (isErrno(error, 'ENOENT')) return undefined;
  throw error;
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
