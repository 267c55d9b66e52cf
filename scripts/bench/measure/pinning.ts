/**
 * Server and load on cores of their own, because two processes that share one measure each other. Where that is
 * impossible (one core, no `taskset`), the benchmark runs all the same and says so in its conditions.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const SERVER_CORE = 0;
const LOAD_CORE = 1;

export type Side = 'server' | 'load';

const canPin = availableParallelism() >= 2 && spawnSync('taskset', ['--version']).status === 0;

/** Moves this process, all threads, to the load's core. */
export function pinSelfToLoadCore(): void {
  if (canPin) spawnSync('taskset', ['-acp', String(LOAD_CORE), String(process.pid)]);
}

/** `command` with what pins it. */
export function pinned(side: Side, command: readonly string[]): string[] {
  if (!canPin) return [...command];
  return ['taskset', '-c', String(side === 'server' ? SERVER_CORE : LOAD_CORE), ...command];
}

export function describePinning(): string {
  return canPin ? `server on core ${SERVER_CORE}, load on core ${LOAD_CORE}` : 'none: server and load share cores';
}
