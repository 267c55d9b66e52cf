/**
 * What a soak must show, judged from its figures alone: nobody well-behaved was disturbed for good, nothing ended in a
 * way the documentation does not name, and the heaps are where they began.
 */
import type { Tally } from './attack-process.js';
import type { UsersWindow } from './users.js';

export interface SoakFigures {
  readonly before: UsersWindow;
  readonly during: UsersWindow;
  readonly after: UsersWindow;
  /** Alive in the heaps of all threads, after a full collection. */
  readonly heapStartBytes: number;
  readonly heapEndBytes: number;
  readonly tally: Tally;
  /** By close code, as the node counted them. */
  readonly closes: Readonly<Record<string, number>>;
  /** The node's log, lines of level error. */
  readonly errors: readonly string[];
}

const MIB = 1024 * 1024;
/** Two windows of one machine differ by so much without a reason. */
const NOISE_FACTOR = 2;
const NOISE_MS = 20;
/** Attackers and users share the machine: a user may wait for a processor, but not for the node's attention. */
const DURING_FACTOR = 5;
const DURING_MS = 250;
const HEAP_GROWTH_FACTOR = 1.1;
const HEAP_GROWTH_BYTES = 4 * MIB;
const INTERNAL = '4005';

/** @returns a sentence for each thing that is not as it must be; empty when all is well */
export function judge(figures: SoakFigures): string[] {
  const { before, during, after, heapStartBytes, heapEndBytes, tally, closes, errors } = figures;
  const faults: string[] = [];
  for (const { name, count, failures } of [before, during, after]) {
    if (count === 0) faults.push(`no user was served ${name}`);
    for (const failure of new Set(failures)) faults.push(`a user failed ${name}: ${failure}`);
  }
  const allowedAfterMs = before.p99Ms * NOISE_FACTOR + NOISE_MS;
  if (after.p99Ms > allowedAfterMs) faults.push(`p99 after is ${ms(after.p99Ms)}, more than ${ms(allowedAfterMs)}`);
  const allowedDuringMs = before.p99Ms * DURING_FACTOR + DURING_MS;
  if (during.p99Ms > allowedDuringMs)
    faults.push(`p99 during is ${ms(during.p99Ms)}, more than ${ms(allowedDuringMs)}`);
  const allowedBytes = heapStartBytes * HEAP_GROWTH_FACTOR + HEAP_GROWTH_BYTES;
  if (heapEndBytes > allowedBytes)
    faults.push(`the heaps grew to ${mib(heapEndBytes)}, more than ${mib(allowedBytes)}`);
  for (const [attacker, endings] of Object.entries(tally.endings)) {
    for (const [ending, count] of Object.entries(endings)) {
      if (ending.startsWith('!')) faults.push(`${attacker}: ${count} times ${ending.slice(1)}`);
    }
  }
  if ((closes[INTERNAL] ?? 0) > 0) faults.push(`${closes[INTERNAL]} connections ended with ${INTERNAL}`);
  for (const line of errors) faults.push(`the node logged ${line}`);
  return faults;
}

export function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

export function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
