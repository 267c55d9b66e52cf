/**
 * All other nodes, as the router asks for them: without waiting, many times a push. It is fed with every view of the
 * leases and told what changed; this node's own workers are in it too, so that there is one answer for every connection.
 *
 * A node that no view has shown yet may have come since the last one: it counts as there until a view that was asked for
 * afterwards does not have it either.
 */
import { type ConnectionId, generationOf, type Peers, type Standing } from '../../actors/index.js';
import type { MembershipView, NodeLease } from '../engines/contract/index.js';
import type { OwnLease } from './own-lease.js';
import { Peer, type PeerMove } from './peer.js';

export interface PeerTableOptions {
  /** Of this node. */
  readonly incarnation: string;
  readonly own: OwnLease;
  readonly leaseMs: number;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  /** Asks for a view, soon. */
  readonly look: () => void;
  readonly onMove: (peer: Peer, move: PeerMove) => void;
}

/** How long nodes that are gone are shown, and how many at most. */
const REMEMBERED_MS = 600_000;
const MAX_REMEMBERED = 64;
/** Incarnations that somebody named and no view shows. */
const MAX_STRANGERS = 4_096;
/** A worker of this node that does not run. */
const DOWN = -1;

export class PeerTable implements Peers {
  readonly #options: PeerTableOptions;
  readonly #peers = new Map<string, Peer>();
  /** When each was first named; infinitely long ago once a view has shown that it is not there. */
  readonly #strangers = new Map<string, number>();
  readonly #workers: number[] = [];
  #viewedMs = Number.NEGATIVE_INFINITY;

  constructor(options: PeerTableOptions) {
    this.#options = options;
  }

  /** Generations of this node's access workers. */
  get workers(): readonly number[] {
    return this.#workers;
  }

  /** All other nodes, those too that are gone. */
  get all(): readonly Peer[] {
    return [...this.#peers.values()];
  }

  get(incarnation: string): Peer | undefined {
    return this.#peers.get(incarnation);
  }

  /** A worker of this node begins a run. */
  workerUp(worker: number, generation: number): void {
    while (this.#workers.length <= worker) this.#workers.push(DOWN);
    this.#workers[worker] = generation;
  }

  workerDown(worker: number): void {
    this.#workers[worker] = DOWN;
  }

  /** @param askedMs when the view was asked for */
  observe({ own, nodes }: Pick<MembershipView, 'own' | 'nodes'>, askedMs: number, wasForgotten = false): void {
    const { now, leaseMs } = this.#options;
    const nowMs = now();
    const standing = { sinceMs: own === 'gone' ? undefined : this.#options.own.standsSinceMs(nowMs), wasForgotten };
    const seen = new Set<string>();
    for (const lease of nodes) {
      const { incarnation } = lease.record;
      seen.add(incarnation);
      if (incarnation === this.#options.incarnation) continue;
      const known = this.#peers.get(incarnation);
      if (known !== undefined) this.#tell(known, known.seen(lease, nowMs, standing));
      else this.#add(lease, new Peer(lease, leaseMs, nowMs), nowMs);
    }
    for (const [incarnation, peer] of this.#peers) {
      if (!seen.has(incarnation)) this.#tell(peer, peer.missing(nowMs, standing));
    }
    for (const [incarnation, namedMs] of this.#strangers) {
      if (seen.has(incarnation)) this.#strangers.delete(incarnation);
      else if (namedMs <= askedMs) this.#strangers.set(incarnation, Number.NEGATIVE_INFINITY);
    }
    this.#viewedMs = nowMs;
    this.#forgetOld(nowMs);
  }

  has({ incarnation, worker, serial }: ConnectionId): boolean {
    if (incarnation === this.#options.incarnation) return generationOf(serial) === this.#workers[worker];
    const peer = this.#peers.get(incarnation);
    if (peer === undefined) return this.#mayBeNew(incarnation);
    if (!peer.mayHave(worker, generationOf(serial), this.#knownUntilMs())) return false;
    if (generationOf(serial) > (peer.record.workers[worker] ?? DOWN)) this.#options.look();
    return true;
  }

  standing(incarnation: string): Standing {
    if (incarnation === this.#options.incarnation) return 'live';
    const peer = this.#peers.get(incarnation);
    if (peer === undefined) return this.#mayBeNew(incarnation) ? 'live' : 'gone';
    return peer.state === 'joined' ? 'live' : peer.state;
  }

  unreachable(incarnation: string): void {
    const { look, now } = this.#options;
    const peer = this.#peers.get(incarnation);
    if (peer === undefined) return void this.#mayBeNew(incarnation);
    const moves = peer.unreachable(now());
    this.#tell(peer, moves);
    if (moves.length > 0) look();
  }

  /**
   * Up to when leases can be judged: between two views a lease may be seen to lapse, but a view that is itself old says
   * nothing of renewals since.
   */
  #knownUntilMs(): number {
    const { now, leaseMs } = this.#options;
    return Math.min(now(), this.#viewedMs + leaseMs / 2);
  }

  #mayBeNew(incarnation: string): boolean {
    const namedMs = this.#strangers.get(incarnation);
    if (namedMs !== undefined) return namedMs !== Number.NEGATIVE_INFINITY;
    if (this.#strangers.size >= MAX_STRANGERS) this.#strangers.delete(this.#strangers.keys().next().value as string);
    this.#strangers.set(incarnation, this.#options.now());
    this.#options.look();
    return true;
  }

  #add(lease: NodeLease, peer: Peer, nowMs: number): void {
    this.#peers.set(lease.record.incarnation, peer);
    this.#options.onMove(peer, { from: 'gone', to: 'joined', reason: peer.reason });
    if (lease.leftMs === 0) this.#tell(peer, peer.seen(lease, nowMs, { sinceMs: undefined, wasForgotten: false }));
  }

  #tell(peer: Peer, moves: readonly PeerMove[]): void {
    for (const move of moves) this.#options.onMove(peer, move);
  }

  #forgetOld(nowMs: number): void {
    const gone = [...this.#peers].filter(([, peer]) => peer.state === 'gone');
    gone.sort(([, a], [, b]) => b.sinceMs - a.sinceMs);
    gone.forEach(([incarnation, peer], i) => {
      if (i >= MAX_REMEMBERED || nowMs - peer.sinceMs > REMEMBERED_MS) this.#peers.delete(incarnation);
    });
  }
}
