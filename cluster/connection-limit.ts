/**
 * How many connections a node may hold: what is configured, and never more than its open files allow. Beyond that the
 * kernel would refuse instead of the node, without a code that tells a client to come back.
 */
import { readFileSync } from 'node:fs';
import type { NodeConfig } from '../config/index.js';
import { DOORWAY_LINKS } from './admission-table.js';
import { eventConnections } from './events/index.js';

/** Descriptors that are no device: listeners, threads' pipes, HTTP clients, logs, libraries. */
export const OWN_DESCRIPTORS = 256;

/** @param openFiles the process's limit of open files */
export function connectionLimit({ businesses, limits }: NodeConfig, openFiles = openFileLimit()): number {
  let spokenFor = OWN_DESCRIPTORS + DOORWAY_LINKS;
  for (const business of Object.values(businesses)) {
    spokenFor += (business.upstream?.concurrency ?? 0) + eventConnections(business);
  }
  return Math.max(Math.min(limits.connections, openFiles - spokenFor), 1);
}

/** The soft limit, which Node raises to the hard one when it starts; without end where the system does not tell. */
export function openFileLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
