/**
 * This node among the others: takes and keeps its lease, has one PeerActor for each other node, and turns what views of
 * the leases mean into deeds: sweep what a gone node left, restore what the engine has forgotten, send clients away when
 * this node was itself declared gone.
 *
 * @see docs/architecture.md, "Many nodes"; docs/lifecycle.md, "A node among others"
 */
import type { ParentRef, Peers } from '../actors/index.js';
import type { Membership, MembershipView, NodeLease, NodeRecord } from './engines/contract/index.js';
import type { Logger } from './logger.js';
import {
  type ClusterStatus,
  claimName,
  glancesOf,
  LeaseKeeper,
  leasesOf,
  OwnLease,
  type Peer,
  PeerActors,
  type PeerMove,
  PeerTable,
  type Renewal,
  refuseNamesake,
  type Seen,
  Sweeper,
} from './membership/index.js';

export interface ClusterActorOptions {
  readonly membership: Membership;
  readonly engine: ClusterStatus['engine'];
  readonly leaseMs: number;
  readonly incarnation: string;
  /** What this node says of itself now. */
  readonly record: () => NodeRecord;
  readonly log: Logger;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  /** Asks the router to put all routes of this node back (`restoreAll`), or to withdraw a gone node's (`sweep`). */
  readonly askRouter: (topic: 'restoreAll' | 'sweep', message: object) => Promise<unknown>;
  /** This node's routes were withdrawn: asks all clients to go, then ends who is left. Nobody logs in meanwhile. */
  readonly sendAway: () => Promise<void>;
  /** Clients may log in again. */
  readonly readmit: () => Promise<void>;
}

/** Of lease times: when another survivor may take a sweep over. */
const SWEEP_LEASES = 12;

export interface ClusterCounts {
  readonly renewalsFailed: number;
  readonly sweeps: number;
  readonly sweptRoutes: number;
}

export default class ClusterActor {
  readonly #options: ClusterActorOptions;
  readonly #own: OwnLease;
  readonly #table: PeerTable;
  readonly #keeper: LeaseKeeper;
  readonly #sweeper: Sweeper;
  readonly #actors: PeerActors;
  #viewedMs = Number.NEGATIVE_INFINITY;
  /** The first view, for the judgement of the name. */
  #firstNodes: readonly NodeLease[] | undefined;
  #sweeps = 0;
  #sweptRoutes = 0;
  #wasCutOff = false;
  #wasSentAway = false;
  /** `wanted` until the engine has taken all routes of this node back. */
  #restoration: 'none' | 'wanted' | 'under way' = 'none';

  constructor(options: ClusterActorOptions) {
    const { membership, incarnation, leaseMs, record, now, log, askRouter } = options;
    this.#options = options;
    this.#actors = new PeerActors(log);
    this.#own = new OwnLease(leaseMs, now(), options.engine !== 'embedded');
    const own = this.#own;
    this.#table = new PeerTable({
      incarnation,
      own,
      leaseMs,
      now,
      look: () => this.#keeper.look(),
      onMove: (peer, move) => this.#moved(peer, move),
    });
    this.#keeper = new LeaseKeeper({
      membership,
      own,
      leaseMs,
      record,
      now,
      onView: (view, askedMs, renewal) => this.#viewed(view, askedMs, renewal),
      onMissed: (error, isCutOff) => this.#missed(error, isCutOff),
    });
    this.#sweeper = new Sweeper({
      membership,
      sweep: async (gone, belowFence) => (await askRouter('sweep', { incarnation: gone, belowFence })) as number,
      retryMs: leaseMs * SWEEP_LEASES,
      log,
      onSwept: (routes) => {
        this.#sweeps += 1;
        this.#sweptRoutes += routes;
      },
    });
  }

  initialize(self: ParentRef): void {
    this.#actors.attach(self);
  }

  /** For the router. */
  get peers(): Peers {
    return this.#table;
  }

  /** Generations of this node's access workers; -1 for one that is down. */
  get workers(): readonly number[] {
    return this.#table.workers;
  }

  get counts(): ClusterCounts {
    return { renewalsFailed: this.#keeper.failed, sweeps: this.#sweeps, sweptRoutes: this.#sweptRoutes };
  }

  /**
   * Takes this node's lease, once its name is its own.
   *
   * @throws {NodeNameTakenError}; {EngineUnavailableError}
   */
  async join(): Promise<void> {
    const { membership, incarnation, leaseMs, record, now, log } = this.#options;
    const { name } = record();
    await claimName({
      membership,
      name,
      incarnation,
      leaseMs,
      now,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      takeOver: (former) => this.#sweeper.take(former.incarnation, former.name),
      onWait: (former, leftMs) =>
        log.info('a lease of this name stands: waiting whether it is renewed', {
          incarnation: former.incarnation,
          leftMs: Math.round(leftMs),
        }),
    });
    await this.#keeper.start();
    refuseNamesake(this.#firstNodes ?? [], record());
    log.info('node registered', { incarnation, leaseMs });
  }

  /** What this node says of itself has changed in a way that others act on. Never rejects. */
  announce(): Promise<void> {
    return this.#keeper.announce();
  }

  /** Takes this node off. */
  async withdraw(): Promise<void> {
    const { membership, incarnation, now } = this.#options;
    const wasRegistered = this.#own.state !== 'unregistered';
    await this.#keeper.stop();
    this.#own.withdrawn(now());
    if (!wasRegistered) return;
    await membership.withdraw(incarnation);
    await membership.announceChange();
  }

  workerUp(worker: number, generation: number): void {
    this.#table.workerUp(worker, generation);
  }

  workerDown(worker: number): void {
    this.#table.workerDown(worker);
  }

  /** Empty while this node's lease stands. */
  notReadyReason(): string {
    const { state, reason } = this.#own;
    if (state === 'registered' || state === 'cut off') {
      return this.#own.leftMs(this.#options.now()) > 0 ? '' : `cut off from the engine: ${reason}`;
    }
    return state === 'sent away' ? `sent away: ${reason}` : `node is ${state}`;
  }

  /** Every node that is not gone, this one included. */
  leases(): readonly NodeLease[] {
    return leasesOf(this.#seen());
  }

  status(): ClusterStatus {
    const { engine, leaseMs, record, now } = this.#options;
    const { state, reason, sinceMs } = this.#own;
    return {
      node: record().name,
      engine,
      leaseMs,
      own: { state, reason, stateMs: Math.round(now() - sinceMs) },
      nodes: glancesOf(this.#seen()),
    };
  }

  #seen(): Seen {
    const { leaseMs, record, now } = this.#options;
    return {
      own: this.#own,
      record: record(),
      peers: this.#table.all,
      leaseMs,
      nowMs: now(),
      viewedMs: this.#viewedMs,
    };
  }

  #viewed(view: MembershipView, askedMs: number, renewal: Renewal | undefined): void {
    this.#firstNodes ??= view.nodes;
    this.#table.observe(view, askedMs, renewal === 'forgotten');
    this.#viewedMs = this.#options.now();
    for (const { record, leftMs } of view.nodes) {
      if (leftMs > 0 || this.#table.get(record.incarnation)?.state !== 'gone') continue;
      void this.#sweeper.take(record.incarnation, record.name);
    }
    if (renewal === 'forgotten') this.#forgotten();
    else if (renewal === 'sent away') void this.#goAway();
    else if (renewal === 'joined' && this.#wasSentAway) void this.#comeBack();
    else if (renewal === 'renewed' && this.#wasCutOff) this.#reconnected();
    if (this.#restoration === 'wanted' && this.#own.state === 'registered') void this.#restore();
  }

  #missed(error: unknown, isCutOff: boolean): void {
    const { log } = this.#options;
    if (!isCutOff) {
      log.debug('lease not renewed', { error: String(error) });
      return;
    }
    this.#wasCutOff = true;
    log.warn('cut off from the engine: connections stay, nothing is routed', { error: String(error) });
  }

  #reconnected(): void {
    this.#wasCutOff = false;
    this.#options.log.info('engine is back, the lease stood');
  }

  #forgotten(): void {
    this.#wasCutOff = false;
    this.#restoration = 'wanted';
    this.#options.log.warn('the engine did not know this node any more: its routes are put back');
  }

  /** What fails is tried again at the next renewal. */
  async #restore(): Promise<void> {
    const { log, askRouter } = this.#options;
    this.#restoration = 'under way';
    try {
      await askRouter('restoreAll', {});
      if (this.#restoration === 'under way') this.#restoration = 'none';
      log.info('routes put back');
    } catch (error) {
      this.#restoration = 'wanted';
      log.warn('routes could not be put back yet', { error: String(error) });
    }
  }

  async #goAway(): Promise<void> {
    if (this.#wasSentAway) return;
    this.#wasSentAway = true;
    this.#wasCutOff = false;
    const { log, sendAway } = this.#options;
    this.#keeper.pause();
    log.warn('another node declared this one gone: clients are told to go', { reason: this.#own.reason });
    try {
      await sendAway();
    } catch (error) {
      log.error('clients could not be sent away', { error: String(error) });
    }
    this.#keeper.resume();
  }

  async #comeBack(): Promise<void> {
    this.#wasSentAway = false;
    const { log, readmit } = this.#options;
    log.info('node registered again after it was declared gone');
    await readmit().catch((error) => log.error('clients could not be let in again', { error: String(error) }));
  }

  #moved(peer: Peer, { from, to, reason }: PeerMove): void {
    const { log } = this.#options;
    const { name, incarnation } = peer.record;
    const entry = { name, incarnation, before: from, reason };
    if (to === 'joined') log.info('peer joined', entry);
    else if (to === 'suspect') log.warn('peer suspect', entry);
    else log.warn('peer gone', entry);
    if (to === 'gone') this.#actors.release(peer);
    else this.#actors.adopt(peer);
  }
}
