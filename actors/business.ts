/**
 * A business as an access worker sees it, ready for the hot path. Sessions and groups hold the object itself, so a reload
 * changes its fields and nobody is told; `id` and `name` never change.
 */
import type { Lane } from './downstream-scheduler.js';

export type SlowConsumerPolicy = 'disconnect' | 'drop-oldest' | 'latest-only';

export interface Business {
  readonly id: number;
  readonly name: string;
  /** Whose devices may be granted it, whatever their tokens say. */
  readonly apps: ReadonlySet<string>;
  readonly maxQueueBytes: number;
  readonly slowConsumer: SlowConsumerPolicy;
  readonly createGroupOnJoin: boolean;
  /** Groups any granted device may join; `*` ends a prefix. */
  readonly openGroups: readonly string[];
  /** Its share of the worker's fan-out. */
  readonly lane: Lane;
}

/** @param patterns names, or prefixes that end in `*` */
export function matchesGroup(patterns: readonly string[], group: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? group.startsWith(pattern.slice(0, -1)) : pattern === group,
  );
}
