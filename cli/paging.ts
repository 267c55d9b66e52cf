/** Flags and loop of commands that list what comes in pages. */
import type { Argv } from 'yargs';
import { UsageError } from './errors.js';

const MAX_PAGE = 1_000;
const DEFAULT_LIMIT = 100;

export interface PageArguments {
  limit: number;
  /** Without a default: yargs takes one for a conflict. */
  all: boolean | undefined;
  after: string | undefined;
}

export function withPageOptions<T>(argv: Argv<T>): Argv<T & PageArguments> {
  return argv
    .option('limit', { type: 'number', requiresArg: true, default: DEFAULT_LIMIT, describe: 'entries at most' })
    .option('all', { type: 'boolean', describe: 'every entry, however many' })
    .option('after', { type: 'string', requiresArg: true, describe: 'go on where an earlier list ended' })
    .conflicts('all', 'after') as unknown as Argv<T & PageArguments>;
}

export interface Listed<T> {
  readonly entries: readonly T[];
  /** Where the list goes on; absent when this is all. */
  readonly next?: string | undefined;
}

/** @param fetchPage one page of at most `limit` entries */
export async function listPages<T>(
  { limit, all, after }: PageArguments,
  fetchPage: (page: { limit: number; after: string | undefined }) => Promise<Listed<T>>,
): Promise<Listed<T>> {
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit: a whole number from 1');
  const wanted = all === true ? Number.POSITIVE_INFINITY : limit;
  const entries: T[] = [];
  let next = after;
  do {
    const page = await fetchPage({ limit: Math.min(wanted - entries.length, MAX_PAGE), after: next });
    entries.push(...page.entries);
    next = page.next;
  } while (next !== undefined && entries.length < wanted);
  return { entries, next };
}

/** @returns the line under a list that goes on */
export function moreText(next: string | undefined): string {
  return next === undefined ? '' : `\nThere are more: --all, or --after '${next}'`;
}
