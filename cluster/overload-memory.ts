/**
 * How much memory the process may have: the least of what the machine has, what its control group gives, and what its
 * resource limits say. Beyond it the kernel ends the process, so a node sheds load before.
 */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

const MIB = 1024 * 1024;
/** Of what the process may have, where nothing is configured. */
const DEFAULT_SHARE = 4 / 5;

/** Resident bytes are never more than any of these. */
const RESOURCE_LIMITS = /^Max (?:address space|data size|resident set)\s+(\d+)/gm;

/** @param memoryMiB as configured; 0 means four fifths of what the process may have */
export function memoryLimitBytes(memoryMiB: number, allowedBytes = allowedMemoryBytes()): number {
  return memoryMiB === 0 ? allowedBytes * DEFAULT_SHARE : memoryMiB * MIB;
}

/** @param processLimits the text of `/proc/self/limits` */
export function allowedMemoryBytes(
  totalBytes = totalmem(),
  groupBytes = process.constrainedMemory(),
  processLimits = readProcessLimits(),
): number {
  const limits = [...processLimits.matchAll(RESOURCE_LIMITS)].map(([, bytes]) => Number(bytes));
  // 0 where the system has no control groups.
  return Math.min(totalBytes, groupBytes || totalBytes, ...limits);
}

function readProcessLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
