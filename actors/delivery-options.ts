/**
 * How a push may be treated while it waits. Most have no options at all and share one object, so that whoever looks
 * at options pays for those alone that have some.
 */
import type { PushMessage } from './routing-service.js';

/** Bits of `flags`. */
export const DeliveryFlag = { droppable: 1, high: 2 } as const;

export interface DeliveryOptions {
  readonly flags: number;
  /** When its time to live is over, by the worker's clock; 0 when it has no such time. */
  readonly dueMs: number;
}

export const NO_OPTIONS: DeliveryOptions = Object.freeze({ flags: 0, dueMs: 0 });

/** Multicasts whose times end this close together may wait as one; as fine as the timers that look. */
const SAME_DUE_MS = 100;

export function flagsOf({ priority, droppable }: PushMessage): number {
  return (droppable === true ? DeliveryFlag.droppable : 0) | (priority === 'high' ? DeliveryFlag.high : 0);
}

/** Whether what has these options may share one place in a queue. */
export function mayShare(a: DeliveryOptions, b: DeliveryOptions): boolean {
  if (a === b) return true;
  if (a.flags !== b.flags || (a.dueMs === 0) !== (b.dueMs === 0)) return false;
  return Math.abs(a.dueMs - b.dueMs) <= SAME_DUE_MS;
}
