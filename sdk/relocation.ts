/**
 * When to follow a GOAWAY: at a random moment in its window, so that a node's clients do not all arrive elsewhere
 * at once, and from then on as soon as no request is under way: a new login ends the old connection and what it still
 * carries, so new requests are held back for the next one. That is waited for to the end of the window and a little
 * longer; a server that has no more time closes the connection itself.
 */
import type { Clock } from './clock.js';

export interface RelocationOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** Holds new requests back and calls back once when none is under way; `undefined` takes the call back. */
  readonly whenIdle: (callback: (() => void) | undefined) => void;
  readonly onMoment: () => void;
}

/** Beyond the window, for answers that are under way: it may be a short one. */
const PATIENCE_MS = 2_000;

export class Relocation {
  readonly #options: RelocationOptions;
  #momentMs: number | undefined;
  #cancelTimer = (): void => {};

  constructor(options: RelocationOptions) {
    this.#options = options;
  }

  /** @returns how long until the moment */
  plan(windowMs: number): number {
    this.cancel();
    const { clock, random } = this.#options;
    const moveInMs = Math.floor(random() * windowMs);
    this.#momentMs = clock.nowMs() + moveInMs;
    this.#cancelTimer = clock.setTimer(() => this.#await(windowMs - moveInMs + PATIENCE_MS), moveInMs);
    return moveInMs;
  }

  /** Time until the moment; undefined when no GOAWAY is followed. */
  get leftMs(): number | undefined {
    return this.#momentMs === undefined ? undefined : Math.max(0, this.#momentMs - this.#options.clock.nowMs());
  }

  cancel(): void {
    this.#cancelTimer();
    this.#options.whenIdle(undefined);
    this.#momentMs = undefined;
  }

  #await(leftMs: number): void {
    const go = (): void => {
      this.#cancelTimer();
      this.#options.whenIdle(undefined);
      this.#options.onMoment();
    };
    this.#cancelTimer = this.#options.clock.setTimer(go, leftMs);
    this.#options.whenIdle(go);
  }
}
