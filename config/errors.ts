/**
 * The configuration family. One error carries every problem found, because whoever repairs a file wants to do it
 * once, not once per problem.
 *
 * @see docs/errors.md
 */
import { TrunklineError } from '../protocol/index.js';

/** One thing to repair in a configuration file. */
export interface ConfigProblem {
  /** The setting, such as `businesses.im.upstream.url`; empty for the file itself. */
  readonly path: string;
  /** Counted from 1; absent when the file does not have the setting at all or could not be read. */
  readonly line?: number | undefined;
  /** The environment variable or flag that gave the value, when the file did not. */
  readonly source?: string | undefined;
  /** What is wrong and what is expected; never the value of a secret. */
  readonly message: string;
}

/** A configuration file cannot be used. */
export class ConfigError extends TrunklineError {
  readonly code = 'TRK_CONFIG_INVALID';
  /**
   * @param source the file's name, for the message
   * @param problems at least one, in the order of the file as far as it is known
   */
  constructor(
    readonly source: string,
    readonly problems: readonly ConfigProblem[],
  ) {
    super([`${source}: ${countOf(problems)}`, ...problems.map((problem) => `  ${describe(problem)}`)].join('\n'));
  }
}

function countOf(problems: readonly ConfigProblem[]): string {
  return problems.length === 1 ? '1 problem' : `${problems.length} problems`;
}

function describe({ path, line, source, message }: ConfigProblem): string {
  const place = [source ?? (line === undefined ? '' : `line ${line}`), path].filter((part) => part !== '').join(', ');
  return place === '' ? message : `${place}: ${message}`;
}
