/** A measuring window over a fleet: the server's CPU and the traffic, read at the same two moments. */

import { sleep } from '../load/clock.js';
import type { Fleet } from '../load/fleet.js';
import { cpuBetween, machineBusyUs, sampleCpu } from './process-sample.js';

export interface Window {
  readonly seconds: number;
  readonly pushes: number;
  readonly responses: number;
  readonly bytes: number;
  readonly reads: number;
  /** The server's, all threads. */
  readonly cpuUs: number;
  /** The server's main thread alone. */
  readonly mainThreadUs: number;
  /** This process's. */
  readonly generatorCpuUs: number;
  /** CPU that neither the server nor this process used, share of one core: above 0.1, do not trust the figures. */
  readonly othersShare: number;
  /** µs from send to read. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

export async function measureWindow(fleet: Fleet, serverPid: number, windowMs: number): Promise<Window> {
  const { traffic } = fleet;
  const cpuBefore = sampleCpu(serverPid);
  const ownBefore = process.cpuUsage();
  const machineBefore = machineBusyUs();
  const before = { ...traffic };
  const startedMs = performance.now();
  traffic.latency.clear();
  traffic.measuring = true;
  await sleep(windowMs);
  traffic.measuring = false;
  const seconds = (performance.now() - startedMs) / 1e3;
  const cpu = cpuBetween(cpuBefore, sampleCpu(serverPid), serverPid);
  const own = process.cpuUsage(ownBefore);
  const generatorCpuUs = own.user + own.system;
  const othersUs = machineBusyUs() - machineBefore - cpu.totalUs - generatorCpuUs;
  fleet.assertWhole();
  return {
    seconds,
    pushes: traffic.pushes - before.pushes,
    responses: traffic.responses - before.responses,
    bytes: traffic.bytes - before.bytes,
    reads: traffic.reads - before.reads,
    cpuUs: cpu.totalUs,
    mainThreadUs: cpu.mainThreadUs,
    generatorCpuUs,
    othersShare: Math.max(0, othersUs / 1e6 / seconds),
    p50Us: traffic.latency.quantile(0.5),
    p99Us: traffic.latency.quantile(0.99),
    maxUs: traffic.latency.max,
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
