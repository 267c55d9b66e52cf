/**
 * When a worker writes. Everything that wants to be written in one turn of the event loop is gathered, and after
 * the turn's input has been read each connection is flushed once. Then fan-outs to groups get a slice, shared
 * between businesses by weight, so a multicast to a hundred thousand members delays a unicast by one slice.
 *
 *   business lane:  gathering ──(window)──> runnable ──(slices, weighted)──> done, or gathering again
 */
import { gatherWindowMs, type LoadMeter } from './load-meter.js';

export interface Flushable {
  /** Writes what it gathered, at most once a turn. */
  flush(turn: number): void;
}

/** Work that reaches many connections and can stop between any two of them. */
export interface FanOut {
  /** Takes what was gathered as the next round. */
  begin(): void;
  /** Serves up to `maxMembers` of the round. @returns how many it served */
  runSlice(maxMembers: number, turn: number): number;
  readonly isRoundOver: boolean;
  /** Whether more was gathered meanwhile. */
  hasMore(): boolean;
}

export interface LaneOptions {
  /** Share against other businesses. */
  readonly weight: number;
  readonly maxWindowMs: number;
}

/** Members served for each unit of weight before the next business has its turn. */
const MEMBERS_PER_WEIGHT = 16;
/** Finished fan-outs a lane remembers before it forgets them. */
const MAX_DONE = 64;
/** Fan-outs leave the event loop to its input after this long. */
const SLICE_MS = 2;

export class DownstreamScheduler {
  readonly #load: LoadMeter;
  readonly #now: () => number;
  readonly #lanes: Lane[] = [];
  #dirty: Flushable[] = [];
  #immediate: NodeJS.Immediate | undefined;
  #turn = 0;

  /** @param now milliseconds of a clock that does not jump, fine enough for `SLICE_MS` */
  constructor(load: LoadMeter, now: () => number) {
    this.#load = load;
    this.#now = now;
  }

  addLane(options: LaneOptions): Lane {
    const lane = new Lane(options, {
      windowMs: () => gatherWindowMs(this.#load.load(this.#now()), options.maxWindowMs),
      wake: () => this.#wake(),
    });
    this.#lanes.push(lane);
    return lane;
  }

  /** `target.flush` is called at the end of this turn; the caller marks a target once. */
  markDirty(target: Flushable): void {
    this.#dirty.push(target);
    this.#wake();
  }

  stop(): void {
    clearImmediate(this.#immediate);
    for (const lane of this.#lanes) lane.stop();
  }

  #wake(): void {
    this.#immediate ??= setImmediate(() => this.#runTurn());
  }

  #runTurn(): void {
    this.#immediate = undefined;
    this.#turn += 1;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const target of dirty) target.flush(this.#turn);
    if (this.#runFanOuts()) this.#wake();
  }

  /** @returns whether a lane still has work */
  #runFanOuts(): boolean {
    const endMs = this.#now() + SLICE_MS;
    let busy = this.#lanes.some((lane) => lane.isRunnable);
    while (busy && this.#now() < endMs) {
      busy = false;
      for (const lane of this.#lanes) {
        lane.run(this.#turn);
        busy ||= lane.isRunnable;
      }
    }
    return busy;
  }
}

interface LanePorts {
  windowMs(): number;
  wake(): void;
}

/** One business's fan-outs. */
export class Lane {
  readonly #quantum: number;
  readonly #ports: LanePorts;
  #gathering: FanOut[] = [];
  #runnable: FanOut[] = [];
  #next = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ weight }: LaneOptions, ports: LanePorts) {
    this.#quantum = weight * MEMBERS_PER_WEIGHT;
    this.#ports = ports;
  }

  get isRunnable(): boolean {
    return this.#runnable.length > this.#next;
  }

  /** Queues a fan-out that has just gathered its first item; the caller submits it once until it is done. */
  submit(fanOut: FanOut): void {
    this.#gathering.push(fanOut);
    if (this.#timer !== undefined) return;
    const windowMs = this.#ports.windowMs();
    if (windowMs === 0) return this.#open();
    this.#timer = setTimeout(() => this.#open(), windowMs);
  }

  /** Serves one quantum of members. */
  run(turn: number): void {
    let credit = this.#quantum;
    while (credit > 0 && this.isRunnable) {
      const fanOut = this.#runnable[this.#next] as FanOut;
      const served = fanOut.runSlice(credit, turn);
      if (!fanOut.isRoundOver) break;
      credit -= Math.max(served, 1);
      this.#next += 1;
      if (fanOut.hasMore()) this.submit(fanOut);
    }
    this.#forgetDone();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #forgetDone(): void {
    if (this.isRunnable && this.#next < MAX_DONE) return;
    this.#runnable = this.#runnable.slice(this.#next);
    this.#next = 0;
  }

  #open(): void {
    this.#timer = undefined;
    for (const fanOut of this.#gathering) {
      fanOut.begin();
      this.#runnable.push(fanOut);
    }
    this.#gathering = [];
    this.#ports.wake();
  }
}
