/**
 * A well-behaved user beside a hostile one: it asks its back-end and is pushed to without a pause, and notes everything
 * that does not go as it should.
 */

import type { TrunklineClient } from '../../sdk/node.js';
import type { Call } from './http-client.js';
import { TEST_KEYS } from './test-config.js';

export interface CompanionReport {
  /** Each is a request answered and a push arrived. */
  readonly rounds: number;
  readonly failures: readonly string[];
  /** How long each half of a round took, in ascending order. */
  readonly tookMs: readonly number[];
}

const PAUSE_MS = 5;
/** A companion that saw less of an attack has seen nothing. */
const MIN_ROUNDS = 5;

export class Companion {
  readonly #client: TrunklineClient;
  readonly #deviceId: string;
  readonly #call: Call;
  readonly #tookMs: number[] = [];
  readonly #failures: string[] = [];
  readonly #arrivals = new Map<string, () => void>();
  readonly #running: Promise<void>;
  readonly #takeOff: (() => void)[];
  readonly #pauseMs: number;
  #rounds = 0;
  #isStopping = false;

  /** @param client online, with business `im` */
  constructor(client: TrunklineClient, deviceId: string, call: Call, pauseMs = PAUSE_MS) {
    this.#client = client;
    this.#deviceId = deviceId;
    this.#call = call;
    this.#pauseMs = pauseMs;
    this.#takeOff = [
      client.on('offline', ({ code, reason }) => this.#failures.push(`went offline: ${code} ${reason}`)),
      client.business('im').onPush(({ messageId }) => this.#arrivals.get(messageId)?.()),
    ];
    this.#running = this.#run();
  }

  get rounds(): number {
    return this.#rounds;
  }

  async stop(): Promise<CompanionReport> {
    while (this.#rounds < MIN_ROUNDS && this.#failures.length === 0) await pause(this.#pauseMs);
    this.#isStopping = true;
    await this.#running;
    for (const takeOff of this.#takeOff) takeOff();
    const tookMs = this.#tookMs.sort((a, b) => a - b);
    return { rounds: this.#rounds, failures: this.#failures, tookMs };
  }

  /** Ends without a report, when nobody wants one any more. */
  cancel(): void {
    this.#isStopping = true;
  }

  async #run(): Promise<void> {
    for (let n = 0; !this.#isStopping; n++) {
      try {
        await this.#timed(() => this.#ask(`round ${n}`));
        await this.#timed(() => this.#bePushed(`${this.#deviceId}/${n}`));
        this.#rounds += 1;
      } catch (error) {
        this.#failures.push(String(error));
      }
      await pause(this.#pauseMs);
    }
  }

  async #timed(step: () => Promise<void>): Promise<void> {
    const startedMs = performance.now();
    await step();
    this.#tookMs.push(performance.now() - startedMs);
  }

  async #ask(text: string): Promise<void> {
    const reply = await this.#client.business('im').request('echo', text);
    if (reply.text() !== text) throw new Error(`the back-end said ${JSON.stringify(reply.text())}`);
  }

  async #bePushed(messageId: string): Promise<void> {
    const arrived = new Promise<void>((resolve) => this.#arrivals.set(messageId, resolve));
    const answer = await this.#call('POST', `/v1/apps/demo/devices/${this.#deviceId}/push`, {
      key: TEST_KEYS.im,
      body: { payload: 'hello', messageId },
    });
    // A thread that a busy machine kept waiting for two seconds is "unknown", and the push arrives all the same.
    const isUnderWay = answer.json?.result === 'delivered' || answer.json?.result === 'unknown';
    if (!isUnderWay) throw new Error(`push: ${answer.status} ${answer.text}`);
    await arrived;
    this.#arrivals.delete(messageId);
  }
}

/** @param share of the measurements that took no longer, 0 to 1 */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
