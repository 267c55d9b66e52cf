/**
 * Printing: results to stdout, errors to stderr, either as text for people or, with `--json`, as one line of JSON.
 */
import { ConfigError } from '../config/index.js';
import { TrunklineError } from '../protocol/index.js';
import { CommandError } from './errors.js';
import { ExitCode } from './exit-codes.js';

/** @param text for people; @param value for `--json` */
export function printResult(json: boolean, text: string, value: unknown): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
}

/**
 * Writes one error to stderr. A fault nobody foresaw comes with its stack.
 *
 * @returns the exit code it asks for
 */
export function printError(error: unknown, json: boolean): ExitCode {
  if (json) process.stderr.write(`${JSON.stringify(errorAsJson(error))}\n`);
  else process.stderr.write(`trunkline: ${describe(error)}\n`);
  if (error instanceof CommandError) return error.exitCode;
  return error instanceof ConfigError ? ExitCode.config : ExitCode.failed;
}

function describe(error: unknown): string {
  if (error instanceof TrunklineError) return error.message;
  if (error instanceof Error) return error.stack ?? error.message;
  return String(error);
}

function errorAsJson(error: unknown): Record<string, unknown> {
  if (error instanceof ConfigError) return { code: error.code, message: error.message, problems: error.problems };
  if (error instanceof TrunklineError) return { code: error.code, message: error.message };
  return { code: 'TRK_INTERNAL', message: error instanceof Error ? error.message : String(error) };
}
