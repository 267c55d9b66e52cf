/** A measuring window over a fleet: the server's CPU and the traffic, read at the same two moments. */
import { sleep } from '../load/clock.js';
import type { Fleet } from '../load/fleet.js';
import { startUsage, type Usage } from './usage.js';

export interface Window extends Usage {
  readonly pushes: number;
  readonly responses: number;
  readonly bytes: number;
  readonly reads: number;
  /** µs from send to read. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

/** @throws {BenchError} a connection was lost */
export async function measureWindow(fleet: Fleet, serverPid: number, windowMs: number): Promise<Window> {
  const { traffic } = fleet;
  const endUsage = startUsage(serverPid);
  const { pushes, responses, bytes, reads } = traffic;
  traffic.latency.clear();
  traffic.measuring = true;
  await sleep(windowMs);
  traffic.measuring = false;
  const usage = endUsage();
  fleet.assertWhole();
  return {
    ...usage,
    pushes: traffic.pushes - pushes,
    responses: traffic.responses - responses,
    bytes: traffic.bytes - bytes,
    reads: traffic.reads - reads,
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
