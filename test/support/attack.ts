/**
 * Runs a hostile act against a node that serves two well-behaved users meanwhile, and judges what it did to them and to
 * the node's memory: what is alive in the heaps before and after a full collection, and the peak of resident memory.
 */
import type { ExecutionContext } from 'ava';
import type { TrunklineClient } from '../../sdk/node.js';
import { Companion, type CompanionReport, percentile } from './companion.js';
import { createHttpClient, type HttpClient } from './http-client.js';
import type { InspectedNode } from './inspected-node.js';

export interface AttackBounds {
  /** What the heaps of all threads may have grown by afterwards; default 8 MiB. */
  readonly keptMiB?: number;
  /** What resident memory may grow by meanwhile; default 128 MiB, garbage included. */
  readonly peakMiB?: number;
}

const MIB = 1024 * 1024;
let companions = 0;

export async function attack<T>(
  t: ExecutionContext,
  node: InspectedNode,
  act: () => Promise<T>,
  { keptMiB = 8, peakMiB = 128 }: AttackBounds = {},
): Promise<T> {
  const users = await Promise.all((['tcp', 'ws'] as const).map((protocol) => Bystander.join(node, protocol)));
  const heapBefore = await node.inspector.heapBytes();
  const residentBefore = node.residentBytes();
  node.forgetPeak();
  let result: T;
  try {
    result = await act();
  } catch (error) {
    for (const user of users) user.leave();
    throw error;
  }
  const peakGrownMiB = (node.peakBytes() - residentBefore) / MIB;
  const reports = await Promise.all(users.map((user) => user.stop()));
  const keptGrownMiB = ((await node.inspector.heapBytes()) - heapBefore) / MIB;
  for (const { failures, rounds, tookMs } of reports) {
    t.deepEqual(failures, [], 'a well-behaved user was disturbed');
    const [median, slowest] = [0.5, 1].map((share) => Math.round(percentile(tookMs, share)));
    t.log(`companion: ${rounds} rounds, median ${median} ms, slowest ${slowest} ms`);
  }
  t.log(`memory: peak +${peakGrownMiB.toFixed(1)} MiB, kept ${keptGrownMiB.toFixed(1)} MiB`);
  t.true(peakGrownMiB <= peakMiB, `resident memory grew by ${peakGrownMiB.toFixed(1)} MiB`);
  t.true(keptGrownMiB <= keptMiB, `the heaps grew by ${keptGrownMiB.toFixed(1)} MiB`);
  return result;
}

/** A well-behaved user and its back-end, with an HTTP connection of its own: nothing of the attacker's is its. */
class Bystander {
  readonly #http: HttpClient;
  readonly #companion: Companion;

  static async join(node: InspectedNode, protocol: 'tcp' | 'ws'): Promise<Bystander> {
    const deviceId = `companion-${companions++}`;
    return new Bystander(node, deviceId, await node.online(deviceId, protocol));
  }

  private constructor(node: InspectedNode, deviceId: string, client: TrunklineClient) {
    this.#http = createHttpClient(node.bridge, 1);
    this.#companion = new Companion(client, deviceId, this.#http.call);
  }

  async stop(): Promise<CompanionReport> {
    const report = await this.#companion.stop();
    await this.#http.close();
    return report;
  }

  /** Without a report, when nobody wants one any more. */
  leave(): void {
    this.#companion.cancel();
    void this.#http.close();
  }
}
