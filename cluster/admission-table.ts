/**
 * The memory in which the threads of a node count links together. Every worker has a part of its own that only it
 * writes, and a sum goes over all parts; so nothing is ever locked, and what a crashed worker counted vanishes when its
 * part is cleared.
 *
 * ```
 *   header             limits, hash key, accept tokens
 *   part of worker 0   [links] [logins] [row A: 65,536 counts] [row B: 65,536 counts]
 *   part of worker 1   ...
 * ```
 *
 * Links are counted by network in two rows, at places that two halves of a hash name. A network's count is the lesser of
 * its two places: never too low, and too high only where others share both places with it. With 200,000 links from as
 * many networks a place holds three on average. A part takes 512 KiB, of which the kernel backs what was touched.
 */

export interface AdmissionLimits {
  /** Authenticated connections. */
  readonly connections: number;
  readonly connectionsPerIp: number;
  readonly acceptsPerSecond: number;
}

/** Links beyond `connections` that are let in to be told, with a close code, that the node is full. */
export const DOORWAY_LINKS = 128;

const CONNECTIONS = 0;
const PER_IP = 1;
const PER_SECOND = 2;
const KEY = 3;
const TOKENS = 5;
const REFILLED = 6;
const HEADER_CELLS = 8;

const LINKS = 0;
const LOGINS = 1;
const ROW_A = 2;
const ROW_CELLS = 0x1_0000;
const ROW_B = ROW_A + ROW_CELLS;
const PART_CELLS = ROW_B + ROW_CELLS;

/** Of a token, so that any rate is exact at a clock of milliseconds; also the milliseconds after which all are there. */
const PARTS = 1_000;
/** What 32 bits hold in such parts. */
const MAX_PER_SECOND = 2_000_000;

/** @param key random */
export function createAdmissionMemory(workers: number, key: readonly [number, number]): SharedArrayBuffer {
  const shared = new SharedArrayBuffer((HEADER_CELLS + workers * PART_CELLS) * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(shared).set(key, KEY);
  return shared;
}

export class AdmissionTable {
  readonly #cells: Int32Array;
  readonly #parts: number;

  constructor(shared: SharedArrayBuffer) {
    this.#cells = new Int32Array(shared);
    this.#parts = (this.#cells.length - HEADER_CELLS) / PART_CELLS;
  }

  get key(): [number, number] {
    return [this.#cells[KEY] as number, this.#cells[KEY + 1] as number];
  }

  /** May be changed at any time; what is in already stays. */
  setLimits({ connections, connectionsPerIp, acceptsPerSecond }: AdmissionLimits): void {
    Atomics.store(this.#cells, CONNECTIONS, connections);
    Atomics.store(this.#cells, PER_IP, connectionsPerIp);
    Atomics.store(this.#cells, PER_SECOND, Math.min(acceptsPerSecond, MAX_PER_SECOND));
  }

  get limits(): AdmissionLimits {
    return {
      connections: Atomics.load(this.#cells, CONNECTIONS),
      connectionsPerIp: Atomics.load(this.#cells, PER_IP),
      acceptsPerSecond: Atomics.load(this.#cells, PER_SECOND),
    };
  }

  /** Links of all workers, strangers included. */
  get links(): number {
    return this.#sum(LINKS);
  }

  /** Logins of all workers. */
  get logins(): number {
    return this.#sum(LOGINS);
  }

  /** Links of one network, or a little more. */
  linksFrom(hash: number): number {
    return Math.min(this.#sum(placeA(hash)), this.#sum(placeB(hash)));
  }

  addLink(worker: number, hash: number, change: 1 | -1): void {
    const part = partOf(worker);
    for (const at of [LINKS, placeA(hash), placeB(hash)]) Atomics.add(this.#cells, part + at, change);
  }

  addLogin(worker: number, change: 1 | -1): void {
    Atomics.add(this.#cells, partOf(worker) + LOGINS, change);
  }

  /** The worker's thread has ended, and with it its links. */
  clear(worker: number): void {
    this.#cells.fill(0, partOf(worker), partOf(worker) + PART_CELLS);
  }

  /**
   * Takes one of the tokens that fill up at `acceptsPerSecond`, at most a second's worth.
   *
   * @param nowMs of a clock that all threads share
   * @returns whether there was one
   */
  takeToken(nowMs: number): boolean {
    const cells = this.#cells;
    this.#refill(nowMs | 0);
    if (Atomics.sub(cells, TOKENS, PARTS) >= PARTS) return true;
    Atomics.add(cells, TOKENS, PARTS);
    return false;
  }

  /** Whoever moves the time on adds the tokens for it. */
  #refill(now: number): void {
    const cells = this.#cells;
    const last = Atomics.load(cells, REFILLED);
    const elapsedMs = (now - last) | 0;
    // Another thread was a moment ahead.
    if (elapsedMs <= 0 && elapsedMs > -PARTS) return;
    if (Atomics.compareExchange(cells, REFILLED, last, now) !== last) return;
    const perSecond = Atomics.load(cells, PER_SECOND);
    // Negative: 24 days without a link, after which the clock's 32 bits begin again.
    const parts = perSecond * (elapsedMs < 0 ? PARTS : Math.min(elapsedMs, PARTS));
    const surplus = Atomics.add(cells, TOKENS, parts) + parts - perSecond * PARTS;
    if (surplus > 0) Atomics.sub(cells, TOKENS, surplus);
  }

  #sum(at: number): number {
    let sum = 0;
    for (let part = 0; part < this.#parts; part++) sum += Atomics.load(this.#cells, partOf(part) + at);
    return sum;
  }
}

function partOf(worker: number): number {
  return HEADER_CELLS + worker * PART_CELLS;
}

function placeA(hash: number): number {
  return ROW_A + (hash & 0xffff);
}

function placeB(hash: number): number {
  return ROW_B + (hash >>> 16);
}
