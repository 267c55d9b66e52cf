/**
 * Pushes that do not stop: to each device in turn, through each back-end in turn, a message id of its own each. What the
 * back-end was told goes into the receipts; a refusal or a bridge that is gone tells nothing, and is counted.
 */
import type { ExecutionContext } from 'ava';
import { BackEndClient, BridgeError, BridgeUnreachableError } from '../../sdk/backend/index.js';
import type { Receipts } from './receipts.js';

export interface PushLoadOptions {
  readonly receipts: Receipts;
  readonly devices: readonly string[];
  /** Asked before each push. */
  readonly through: () => readonly BackEndClient[];
  /** Between two pushes of one caller. Default 10 ms. */
  readonly pauseMs?: number;
  /** Pushes under way at once. Default 8. */
  readonly callers?: number;
}

export class PushLoad {
  /** Answered with an HTTP error, by code. */
  readonly refusals = new Map<string, number>();
  /** The bridge went away before it answered. */
  unanswered = 0;
  sent = 0;
  readonly #options: PushLoadOptions;
  readonly #callers: Promise<void>[];
  #isRunning = true;

  /** Begins, and stops with the test at the latest. */
  constructor(t: Pick<ExecutionContext, 'teardown'>, options: PushLoadOptions) {
    this.#options = options;
    this.#callers = Array.from({ length: options.callers ?? 8 }, () => this.#run());
    t.teardown(() => this.stop());
  }

  /** Resolves when every push has its answer. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await Promise.all(this.#callers);
  }

  get refused(): number {
    return [...this.refusals.values()].reduce((sum, count) => sum + count, 0);
  }

  async #run(): Promise<void> {
    const { pauseMs = 10 } = this.#options;
    while (this.#isRunning) {
      await this.#push();
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #push(): Promise<void> {
    const { receipts, devices, through } = this.#options;
    const backEnds = through();
    const number = this.sent++;
    const deviceId = devices[number % devices.length] as string;
    const messageId = `load-${number}`;
    const backEnd = backEnds[number % backEnds.length];
    if (!(backEnd instanceof BackEndClient)) return;
    try {
      receipts.told(deviceId, messageId, await backEnd.pushToDevice(deviceId, { payload: messageId, messageId }));
    } catch (error) {
      if (error instanceof BridgeUnreachableError) this.unanswered += 1;
      else if (error instanceof BridgeError) this.refusals.set(error.code, (this.refusals.get(error.code) ?? 0) + 1);
      else throw error;
    }
  }
}
