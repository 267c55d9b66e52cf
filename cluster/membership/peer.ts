/**
 * Another node, judged from what each view of the leases says of it. No timers and no clock of its own: time comes in,
 * in milliseconds of a clock that does not jump.
 *
 * A lease's end is kept as this node's clock would see it: the engine says how much is left, so clocks may differ. It is
 * counted from when the answer came, which is a little late and never early.
 */
import type { NodeLease, NodeRecord } from '../engines/contract/index.js';
import { movePeer, type PeerState } from './states.js';

const FORGOTTEN = 'the engine forgot it';
const NEVER_RAN = -1;

/** A change of state, for the log and the operator. */
export interface PeerMove {
  readonly from: PeerState;
  readonly to: PeerState;
  readonly reason: string;
}

/** This node's own standing at the moment of a view. */
export interface Standing {
  /** Since when its own lease has stood without a break; `undefined` while it does not. */
  readonly sinceMs: number | undefined;
  /** The engine had forgotten this node, and so perhaps the others. */
  readonly wasForgotten: boolean;
}

export class Peer {
  readonly #leaseMs: number;
  #record: NodeRecord;
  #state: PeerState = 'joined';
  #reason = 'registered';
  #sinceMs: number;
  #endsMs: number;
  /** When its lease was found lapsed, or the engine had forgotten it. */
  #lapsedMs: number | undefined;
  #unreachableMs: number | undefined;
  /** By worker: connections of an older generation are gone. */
  #oldest: readonly number[] = [];
  /** By worker: the last generation that was up. */
  #lastRuns: readonly number[] = [];

  constructor(lease: NodeLease, leaseMs: number, nowMs: number) {
    this.#leaseMs = leaseMs;
    this.#record = lease.record;
    this.#sinceMs = nowMs;
    this.#endsMs = nowMs + lease.leftMs;
    this.#takeWorkers();
  }

  /** What it last said of itself. */
  get record(): NodeRecord {
    return this.#record;
  }

  get state(): PeerState {
    return this.#state;
  }

  /** Why it is in its state. */
  get reason(): string {
    return this.#reason;
  }

  /** Since when. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Until its lease lapses. */
  leftMs(nowMs: number): number {
    return this.#state === 'joined' ? Math.max(this.#endsMs - nowMs, 0) : 0;
  }

  /** A view has this node in it. @returns whether that changed anything, in order */
  seen({ record, leftMs }: NodeLease, nowMs: number, own: Standing): PeerMove[] {
    this.#record = record;
    this.#takeWorkers();
    if (leftMs <= 0) return this.#lapsed(Math.min(nowMs, this.#endsMs), 'its lease lapsed', nowMs, own);
    this.#endsMs = nowMs + leftMs;
    this.#lapsedMs = undefined;
    if (this.#state === 'gone') return [this.#move('joined', 'registered again', nowMs)];
    if (this.#state === 'suspect' && this.#hasRenewed()) return [this.#move('joined', 'its lease stands', nowMs)];
    return [];
  }

  /** A view does not have it. */
  missing(nowMs: number, own: Standing): PeerMove[] {
    if (this.#state === 'gone') return [];
    // An engine that forgot one forgot all: each of them registers again within its next renewals.
    if (own.wasForgotten || (this.#lapsedMs !== undefined && this.#reason === FORGOTTEN)) {
      return this.#lapsed(nowMs, FORGOTTEN, nowMs, own);
    }
    const wasLapsed = this.#lapsedMs !== undefined;
    return [this.#move('gone', wasLapsed ? 'swept by another node' : 'left the service', nowMs)];
  }

  /** A message to it found nobody. */
  unreachable(nowMs: number): PeerMove[] {
    this.#unreachableMs = nowMs;
    return this.#state === 'joined' ? [this.#move('suspect', 'a message to it found nobody', nowMs)] : [];
  }

  /**
   * Whether it may have connections of this run of one of its workers.
   *
   * @param knownUntilMs how far this node's view of the leases reaches
   */
  mayHave(worker: number, generation: number, knownUntilMs: number): boolean {
    if (this.#state !== 'joined' || this.#endsMs <= knownUntilMs) return false;
    return generation >= (this.#oldest[worker] ?? 0);
  }

  #lapsed(sinceMs: number, reason: string, nowMs: number, own: Standing): PeerMove[] {
    this.#lapsedMs ??= sinceMs;
    const moves: PeerMove[] = [];
    if (this.#state === 'joined') moves.push(this.#move('suspect', reason, nowMs));
    else if (this.#state === 'suspect') this.#reason = reason;
    if (this.#state !== 'suspect' || own.sinceMs === undefined) return moves;
    // While this node's own lease did not stand it was perhaps itself that was cut off.
    if (nowMs - Math.max(this.#lapsedMs, own.sinceMs) >= this.#leaseMs) {
      moves.push(this.#move('gone', `${reason} and stayed so for ${this.#leaseMs} ms`, nowMs));
    }
    return moves;
  }

  /** Whether its lease was renewed after it was last found unreachable. */
  #hasRenewed(): boolean {
    if (this.#unreachableMs === undefined) return true;
    if (this.#endsMs - this.#leaseMs <= this.#unreachableMs) return false;
    this.#unreachableMs = undefined;
    return true;
  }

  #takeWorkers(): void {
    const last = this.#lastRuns;
    this.#lastRuns = this.#record.workers.map((generation, worker) =>
      generation >= 0 ? generation : (last[worker] ?? NEVER_RAN),
    );
    // One that is down has lost what its last run had, and its next run may begin before we hear of it.
    this.#oldest = this.#record.workers.map((generation, worker) =>
      generation >= 0 ? generation : (this.#lastRuns[worker] as number) + 1,
    );
  }

  #move(to: PeerState, reason: string, nowMs: number): PeerMove {
    const from = this.#state;
    this.#state = movePeer(from, to);
    this.#reason = reason;
    this.#sinceMs = nowMs;
    return { from, to, reason };
  }
}
