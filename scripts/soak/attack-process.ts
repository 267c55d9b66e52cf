/**
 * The hostile half of a soak, a process of its own at the lowest priority: what the attackers cost themselves is not to
 * be measured in the well-behaved users. Told where the node is by its parent, ends when told to, and tells its tally.
 */
import { setPriority } from 'node:os';
import type { ProcessAddresses } from '../../test/support/node-process.js';
import { NodeTarget } from '../../test/support/node-target.js';
import { ATTACKERS } from './attackers.js';

export type ToAttackers = { readonly start: ProcessAddresses } | 'stop';
export interface Tally {
  /** By attacker, then by how it ended; the unexpected begin with `!`. */
  readonly endings: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const AT_ONCE = 4;
const PAUSE_MS = 20;
const LOWEST_PRIORITY = 19;

class Attack {
  readonly #node: NodeTarget;
  readonly #endings: Record<string, Record<string, number>> = {};
  readonly #running: Promise<unknown>;
  #acts = 0;
  #isStopping = false;

  constructor(addresses: ProcessAddresses) {
    this.#node = new NodeTarget(addresses);
    this.#running = Promise.all(Array.from({ length: AT_ONCE }, () => this.#run()));
  }

  async stop(): Promise<Tally> {
    this.#isStopping = true;
    await this.#running;
    await this.#node.stop();
    return { endings: this.#endings };
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const n = this.#acts++;
      const { name, expected, act } = ATTACKERS[n % ATTACKERS.length] as (typeof ATTACKERS)[number];
      const how = await act(this.#node, n).catch((error) => [String(error)]);
      this.#endings[name] ??= {};
      const tally = this.#endings[name];
      for (const ending of how.map((text) => (expected.test(text) ? text : `!${text}`))) {
        tally[ending] = (tally[ending] ?? 0) + 1;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

setPriority(LOWEST_PRIORITY);
let attack: Attack | undefined;
process.on('message', async (message: ToAttackers) => {
  if (message !== 'stop') {
    attack = new Attack(message.start);
    return;
  }
  process.send?.(await attack?.stop(), () => process.exit(0));
});
process.on('disconnect', () => process.exit(1));
