/**
 * When a worker writes. Everything that wants to be written in one turn of the event loop is gathered, and after
 * the turn's input has been read each connection is flushed once. Then fan-outs to groups get a slice, shared
 * between businesses by weight, so a multicast to a hundred thousand members delays a unicast by one slice.
 *
 *   business lane:  gathering ──(window)──> runnable ──(slices, weighted)──> done, or gathering again
 *                          └───(urgent)───> urgent ────(the same, first)──┘
 *
 * Urgency puts work in front within its business alone: between businesses the weights decide, or one that calls
 * everything urgent would stand before all others.
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
  /** Whether what it gathered goes before the rest of its business, and waits for no window. */
  readonly isUrgent: boolean;
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
  #lanes: Lane[] = [];
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
      windowMs: (maxWindowMs) => gatherWindowMs(this.#load.load(this.#now()), maxWindowMs),
      wake: () => this.#wake(),
    });
    this.#lanes.push(lane);
    return lane;
  }

  /** The lane's business is gone; what it gathered is dropped with its groups. */
  removeLane(lane: Lane): void {
    lane.stop();
    this.#lanes = this.#lanes.filter((each) => each !== lane);
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
  windowMs(maxWindowMs: number): number;
  wake(): void;
}

/** One business's fan-outs. */
export class Lane {
  #quantum = 0;
  #maxWindowMs = 0;
  readonly #ports: LanePorts;
  #gathering: FanOut[] = [];
  readonly #urgent = new RunQueue();
  readonly #runnable = new RunQueue();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LaneOptions, ports: LanePorts) {
    this.#ports = ports;
    this.configure(options);
  }

  /** Other options from here on. */
  configure({ weight, maxWindowMs }: LaneOptions): void {
    this.#quantum = weight * MEMBERS_PER_WEIGHT;
    this.#maxWindowMs = maxWindowMs;
  }

  get isRunnable(): boolean {
    return !this.#runnable.isEmpty || !this.#urgent.isEmpty;
  }

  /** Queues a fan-out that has just gathered its first item; the caller submits it once until it is done. */
  submit(fanOut: FanOut): void {
    if (fanOut.isUrgent) return this.#beginUrgent(fanOut);
    this.#gathering.push(fanOut);
    if (this.#timer !== undefined) return;
    const windowMs = this.#ports.windowMs(this.#maxWindowMs);
    if (windowMs === 0) return this.#open();
    this.#timer = setTimeout(() => this.#open(), windowMs);
  }

  /** A fan-out that was submitted has become urgent; a round under way comes along. */
  hurry(fanOut: FanOut): void {
    const at = this.#gathering.indexOf(fanOut);
    if (at >= 0) {
      this.#gathering.splice(at, 1);
      this.#beginUrgent(fanOut);
    } else if (this.#runnable.remove(fanOut)) {
      this.#urgent.push(fanOut);
    }
  }

  /** Serves one quantum of members. */
  run(turn: number): void {
    let credit = this.#quantum;
    while (credit > 0 && this.isRunnable) {
      const queue = this.#urgent.isEmpty ? this.#runnable : this.#urgent;
      const fanOut = queue.first as FanOut;
      const served = fanOut.runSlice(credit, turn);
      if (!fanOut.isRoundOver) break;
      credit -= Math.max(served, 1);
      queue.shift();
      if (fanOut.hasMore()) this.submit(fanOut);
    }
    this.#urgent.forgetDone();
    this.#runnable.forgetDone();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #beginUrgent(fanOut: FanOut): void {
    fanOut.begin();
    this.#urgent.push(fanOut);
    this.#ports.wake();
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

/** Fan-outs in the order of their turn; those that had it are let go of by and by. */
class RunQueue {
  #fanOuts: FanOut[] = [];
  #next = 0;

  get isEmpty(): boolean {
    return this.#fanOuts.length === this.#next;
  }

  get first(): FanOut | undefined {
    return this.#fanOuts[this.#next];
  }

  push(fanOut: FanOut): void {
    this.#fanOuts.push(fanOut);
  }

  shift(): void {
    this.#next += 1;
  }

  /** @returns whether it was there */
  remove(fanOut: FanOut): boolean {
    const at = this.#fanOuts.indexOf(fanOut, this.#next);
    if (at < 0) return false;
    this.#fanOuts.splice(at, 1);
    return true;
  }

  forgetDone(): void {
    if (!this.isEmpty && this.#next < MAX_DONE) return;
    if (this.#fanOuts.length === 0) return;
    this.#fanOuts = this.#fanOuts.slice(this.#next);
    this.#next = 0;
  }
}
