/**
 * In which order candidates start: what is remembered of this network, then the control layer's order, and those
 * that failed lately at the end. A ban grows with each failure, is forgotten with a success and never excludes: when
 * nothing else is left, the banned are tried.
 */
import type { Target } from '../bootstrap.js';
import type { NetworkMemory } from './network-memory.js';
import type { Candidate, RaceResult } from './race.js';

/**
 * - `only`        there was no other candidate
 * - `first`       the control layer's first choice
 * - `raced`       faster than those that started before it
 * - `remembered`  it won on this network before, so it started first
 * - `fallback`    those before it failed, in this race or lately
 */
export type Why = 'only' | 'first' | 'raced' | 'remembered' | 'fallback';

const FIRST_BAN_MS = 15_000;
const MAX_BAN_MS = 600_000;

interface Ban {
  readonly failures: number;
  readonly untilMs: number;
}

export class Ranking {
  readonly #memory: NetworkMemory | undefined;
  readonly #bans = new Map<string, Ban>();
  #network = '';
  #order: readonly Target[] = [];
  #candidates: Candidate[] = [];
  #isRemembered = false;

  /** @param memory absent: nothing is remembered */
  constructor(memory: NetworkMemory | undefined) {
    this.#memory = memory;
  }

  /** @param order as the control layer wants it */
  rank(order: readonly Target[], network: string, nowMs: number): readonly Candidate[] {
    if (network !== this.#network) this.forgive();
    this.#network = network;
    this.#order = order;
    for (const key of this.#bans.keys()) if (!order.some((target) => keyOf(target) === key)) this.#bans.delete(key);
    const known = this.#memory?.get(network);
    const remembered = known && known.untilMs > nowMs && known.over === order[0]?.protocol ? known : undefined;
    const rankOf = (target: Target): number => {
      const bannedForMs = (this.#bans.get(keyOf(target))?.untilMs ?? 0) - nowMs;
      if (bannedForMs > 0) return bannedForMs;
      if (target.protocol !== remembered?.protocol) return 0;
      return target.accessPoint === remembered.accessPoint ? -2 : -1;
    };
    const ranked = order.map((target) => ({ target, rank: rankOf(target) })).sort((a, b) => a.rank - b.rank);
    this.#candidates = ranked.map(({ target, rank }) => ({ target, isBanned: rank > 0 }));
    this.#isRemembered = (ranked[0]?.rank ?? 0) < 0 && ranked[0]?.target !== order[0];
    return this.#candidates;
  }

  failed(target: Target, nowMs: number): void {
    const failures = (this.#bans.get(keyOf(target))?.failures ?? 0) + 1;
    const untilMs = nowMs + Math.min(MAX_BAN_MS, FIRST_BAN_MS * 2 ** (failures - 1));
    this.#bans.set(keyOf(target), { failures, untilMs });
  }

  /** Of the race of what was ranked last. @returns why it won */
  won({ winner, losers }: RaceResult, nowMs: number): Why {
    const { target } = winner;
    this.#bans.delete(keyOf(target));
    const [choice] = this.#order as [Target];
    const isChoice = keyOf(choice) === keyOf(target);
    const startedFirst = this.#candidates[0] === winner;
    if (this.#order.length === 1) return 'only';
    // What was remembered stays so for its time, and no longer: the choice gets another chance then.
    if (startedFirst && this.#isRemembered) return 'remembered';
    this.#memory?.set(this.#network, isChoice ? undefined : target, choice.protocol, nowMs);
    if (isChoice && startedFirst) return 'first';
    return losers > 0 || startedFirst ? 'fallback' : 'raced';
  }

  /** The network may be another one: what failed may work. */
  forgive(): void {
    this.#bans.clear();
  }
}

function keyOf({ protocol, accessPoint }: Target): string {
  return `${protocol} ${accessPoint}`;
}
