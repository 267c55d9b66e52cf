/**
 * How far each rollout has come: the share that an operator set, which the engine keeps and every node is told of, or else
 * the one in the policies file. While the engine is away the shares that were known last stay.
 *
 * @see docs/decisions/0086-a-rollout-is-a-share-in-the-engine.md
 */
import type { ControlState, Logger } from '../../cluster/index.js';

/** What was set, as it is kept. */
export interface SetShare {
  /** Per cent of the devices. */
  readonly share: number;
  /** What it was before. */
  readonly before: number;
  /** Milliseconds since the Unix epoch, by the clock of the node that was asked. */
  readonly atMs: number;
  /** Name of that node. */
  readonly node: string;
}

export interface RolloutsOptions {
  readonly log: Logger;
  /** Of this node. */
  readonly node: () => string;
  /** Shares as the file has them. */
  readonly inFile: () => ReadonlyMap<string, number>;
}

/** An announcement may be lost while the engine's servers change places. */
const READ_EVERY_MS = 5_000;
const PREFIX = 'rollout/';

export class Rollouts {
  readonly #options: RolloutsOptions;
  #state: ControlState | undefined;
  #stop: () => void = () => {};
  #set: ReadonlyMap<string, SetShare> = new Map();
  #reading: Promise<void> | undefined;
  #isAgain = false;

  constructor(options: RolloutsOptions) {
    this.#options = options;
  }

  /** @throws {EngineUnavailableError} */
  async open(state: ControlState): Promise<void> {
    this.#state = state;
    const stopTelling = state.onChange(() => this.#readSoon());
    const timer = setInterval(() => this.#readSoon(), READ_EVERY_MS).unref();
    this.#stop = () => {
      stopTelling();
      clearInterval(timer);
    };
    await this.#read(state);
  }

  close(): void {
    this.#stop();
    this.#state = undefined;
  }

  /** Per cent; 0 for a rollout that nobody knows. */
  shareOf(rollout: string): number {
    return this.#set.get(rollout)?.share ?? this.#options.inFile().get(rollout) ?? 0;
  }

  lastSet(rollout: string): SetShare | undefined {
    return this.#set.get(rollout);
  }

  /**
   * In force at this node when it resolves, and at the others within a second.
   *
   * @throws {EngineUnavailableError | ControlStateFullError} nothing has changed, as far as is known
   */
  async set(rollout: string, share: number): Promise<void> {
    const state = this.#state;
    if (state === undefined) throw new TypeError('Rollouts: set before open');
    const { node, log } = this.#options;
    const before = this.shareOf(rollout);
    const set: SetShare = { share, before, atMs: Date.now(), node: node() };
    await state.write(`${PREFIX}${rollout}`, JSON.stringify(set));
    this.#set = new Map(this.#set).set(rollout, set);
    log.info('rollout set', { rollout, share, before });
  }

  #readSoon(): void {
    const state = this.#state;
    if (state === undefined) return;
    this.#isAgain = true;
    this.#reading ??= this.#readWhileAsked(state).finally(() => {
      this.#reading = undefined;
    });
  }

  async #readWhileAsked(state: ControlState): Promise<void> {
    while (this.#isAgain) {
      this.#isAgain = false;
      try {
        await this.#read(state);
      } catch (error) {
        // It is read again when the engine is back, and anyhow in a few seconds.
        this.#options.log.debug('rollouts not read', { error: (error as Error).message });
      }
    }
  }

  async #read(state: ControlState): Promise<void> {
    const found = new Map<string, SetShare>();
    for (const [name, text] of await state.read()) {
      const set = name.startsWith(PREFIX) ? parse(text) : undefined;
      if (set !== undefined) found.set(name.slice(PREFIX.length), set);
    }
    this.#set = found;
  }
}

/** @returns undefined for what a later version may keep there */
function parse(text: string): SetShare | undefined {
  try {
    const { share, before, atMs, node } = JSON.parse(text) as Record<string, unknown>;
    const numbers = [share, before, atMs];
    if (!numbers.every((value) => typeof value === 'number') || typeof node !== 'string') return undefined;
    return { share, before, atMs, node } as SetShare;
  } catch {
    return undefined;
  }
}
