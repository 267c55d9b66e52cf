/** The well-behaved users of a soak: the same connections throughout, measured window by window. */

import type { TrunklineClient } from '../../sdk/node.js';
import { Companion, percentile } from '../../test/support/companion.js';
import type { NodeTarget } from '../../test/support/node-target.js';

export interface UsersWindow {
  readonly name: string;
  /** Requests answered and pushes arrived. */
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
  readonly failures: readonly string[];
}

const USERS = 20;
/** Each asks and is pushed to this often, more or less: about 250 of each a second together. */
const PAUSE_MS = 60;

interface User {
  readonly deviceId: string;
  readonly client: TrunklineClient;
}

export class Users {
  readonly #node: NodeTarget;
  readonly #clients: readonly User[];

  static async connect(node: NodeTarget): Promise<Users> {
    const names = Array.from({ length: USERS }, (_, i) => `user-${i}`);
    const clients = names.map(async (deviceId, i) => ({
      deviceId,
      client: await node.online(deviceId, i % 2 === 0 ? 'tcp' : 'ws'),
    }));
    return new Users(node, await Promise.all(clients));
  }

  private constructor(node: NodeTarget, clients: readonly User[]) {
    this.#node = node;
    this.#clients = clients;
  }

  /** Measures while `during` lasts. */
  async measure(name: string, during: Promise<unknown>): Promise<UsersWindow> {
    const companions = this.#clients.map(
      ({ client, deviceId }) => new Companion(client, deviceId, this.#node.call, PAUSE_MS),
    );
    await during;
    const reports = await Promise.all(companions.map((companion) => companion.stop()));
    const tookMs = reports.flatMap((report) => report.tookMs).sort((a, b) => a - b);
    return {
      name,
      count: tookMs.length,
      p50Ms: percentile(tookMs, 0.5),
      p99Ms: percentile(tookMs, 0.99),
      slowestMs: percentile(tookMs, 1),
      failures: reports.flatMap((report) => report.failures),
    };
  }
}
