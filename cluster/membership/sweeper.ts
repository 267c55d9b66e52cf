/**
 * Clears away what a node left that is gone: declares it gone, has its routes swept, takes it off. Every survivor tries;
 * the engine gives one of them the word, and another one when that one dies over it.
 */
import type { Membership } from '../engines/contract/index.js';
import type { Logger } from '../logger.js';

export interface SweeperOptions {
  readonly membership: Membership;
  /** Withdraws the routes of a node that are older than a fence. @returns how many there were */
  readonly sweep: (incarnation: string, belowFence: number) => Promise<number>;
  /** After this long another node may take over. */
  readonly retryMs: number;
  readonly log: Logger;
  /** Routes were withdrawn. */
  readonly onSwept: (routes: number) => void;
}

export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #underWay = new Set<string>();
  /** Declared by this node and not swept to the end: with the fence it was given. */
  readonly #declared = new Map<string, number>();

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  /** Never rejects: what fails is logged, and tried again at the next call. @returns whether it was this node's turn */
  async take(incarnation: string, name: string): Promise<boolean> {
    if (this.#underWay.has(incarnation)) return false;
    this.#underWay.add(incarnation);
    const { log } = this.#options;
    try {
      return await this.#take(incarnation, name);
    } catch (error) {
      log.warn('what a gone node left could not be swept', { name, incarnation, error: String(error) });
      return false;
    } finally {
      this.#underWay.delete(incarnation);
    }
  }

  async #take(incarnation: string, name: string): Promise<boolean> {
    const { membership, sweep, retryMs, log, onSwept } = this.#options;
    const belowFence = this.#declared.get(incarnation) ?? (await membership.declareGone(incarnation, retryMs));
    if (belowFence === undefined) return false;
    this.#declared.set(incarnation, belowFence);
    log.warn('node declared gone, its routes are withdrawn', { name, incarnation });
    const startedMs = performance.now();
    const routes = await sweep(incarnation, belowFence);
    onSwept(routes);
    await membership.withdraw(incarnation);
    this.#declared.delete(incarnation);
    await membership.announceChange();
    log.info('gone node swept', { name, incarnation, routes, tookMs: Math.round(performance.now() - startedMs) });
    return true;
  }
}
