/**
 * What a server process used, read from the kernel by process id: CPU time of all threads and private memory.
 * CPU is utime + stime, which the kernel derives from its precise run time and reports in ticks of 10 ms.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { sleep } from '../load/clock.js';

/** The kernel's USER_HZ; 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

const IDLE_PROBE_MS = 500;
const IDLE_SHARE = 0.04;

export interface CpuSample {
  /** All threads, ended ones included. */
  readonly totalUs: number;
  /** Per live thread id. */
  readonly threadUs: ReadonlyMap<number, number>;
}

export function sampleCpu(pid: number): CpuSample {
  const threadUs = new Map<number, number>();
  for (const name of readdirSync(`/proc/${pid}/task`)) {
    threadUs.set(Number(name), ticksToUs(readText(`/proc/${pid}/task/${name}/stat`)));
  }
  return { totalUs: ticksToUs(readText(`/proc/${pid}/stat`)), threadUs };
}

/** CPU of the main thread and of all others between two samples, µs. */
export function cpuBetween(before: CpuSample, after: CpuSample, pid: number) {
  const totalUs = after.totalUs - before.totalUs;
  const mainThreadUs = (after.threadUs.get(pid) ?? 0) - (before.threadUs.get(pid) ?? 0);
  return { totalUs, mainThreadUs, otherThreadsUs: totalUs - mainThreadUs };
}

/** CPU time of the whole machine, all processes, µs since its start. */
export function machineBusyUs(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readText('/proc/stat')
    .slice('cpu '.length, 200)
    .trim()
    .split(/\s+/)
    .map(Number);
  return ((user + nice + system + irq + softirq) * 1e6) / TICKS_PER_SECOND;
}

/** Memory that only this process holds, bytes. Shared pages of the binary and its libraries are left out. */
export function privateBytes(pid: number): number {
  const rollup = readText(`/proc/${pid}/smaps_rollup`);
  const kib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0);
  return (kib('Private_Clean') + kib('Private_Dirty')) * 1024;
}

export function openFileLimit(): number {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readText('/proc/self/limits'))?.[1];
  return soft === 'unlimited' || soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

function ticksToUs(stat: string): number {
  // The second field, the name, may hold spaces; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
}

/** A thread or process that has just ended reads as empty. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ') 0 0 0 0 0 0 0 0 0 0 0 0 0';
  }
}

/** Waits until a process has used almost no CPU for half a second, at most `timeoutMs`. */
export async function waitUntilIdle(pid: number, timeoutMs = 15_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (let before = sampleCpu(pid).totalUs; performance.now() < endMs; ) {
    await sleep(IDLE_PROBE_MS);
    const now = sampleCpu(pid).totalUs;
    if (now - before <= IDLE_SHARE * IDLE_PROBE_MS * 1e3) return;
    before = now;
  }
}
