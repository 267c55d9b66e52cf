/**
 * Renews this node's lease, five times within its length, and hands every view that a renewal brings on. One exchange
 * with the engine at a time: who wants a look while one is under way gets another behind it.
 *
 * It owns the one timer of membership; what views mean is judged elsewhere. `beat` is all the timer does, so that a test
 * with a clock of its own plays it.
 */
import type { Membership, MembershipView, NodeRecord } from '../engines/contract/index.js';
import type { OwnLease, Renewal } from './own-lease.js';

export interface LeaseKeeperOptions {
  readonly membership: Membership;
  readonly own: OwnLease;
  readonly leaseMs: number;
  /** What the node says of itself now. */
  readonly record: () => NodeRecord;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  /** A view came. `renewal` is `undefined` for one that was only looked at. */
  readonly onView: (view: MembershipView, askedMs: number, renewal: Renewal | undefined) => void;
  /** A renewal failed. @param isCutOff whether the node counts as cut off from now on */
  readonly onMissed: (error: unknown, isCutOff: boolean) => void;
}

export const RENEWALS_PER_LEASE = 5;
/** Looks that others ask for, such as a router that meets an unknown node, are at least this far apart. */
const LOOK_EVERY_MS = 50;

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #timer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #underWay: Promise<void> | undefined;
  /** Looks without renewing. */
  #isPaused = false;
  #isStopped = false;
  #failed = 0;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    options.membership.onChange(() => this.look());
  }

  /** Renewals that failed since the start. */
  get failed(): number {
    return this.#failed;
  }

  /** Takes the lease and keeps it. @throws {EngineUnavailableError} it could not be taken */
  async start(): Promise<void> {
    await this.#exchange();
    this.#timer = setInterval(() => void this.beat(), this.#options.leaseMs / RENEWALS_PER_LEASE).unref();
  }

  /** One renewal, or the one that is under way. Never rejects. */
  beat(): Promise<void> {
    this.#underWay ??= this.#tryExchange().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  /** A view is wanted soon. */
  look(): void {
    if (this.#isStopped || this.#lookTimer !== undefined) return;
    this.#lookTimer = setTimeout(() => {
      this.#lookTimer = undefined;
      void this.#afresh();
    }, LOOK_EVERY_MS).unref();
  }

  /** Renews now, with what the node says of itself now, and has the others look. Never rejects. */
  async announce(): Promise<void> {
    await this.#afresh();
    if (this.#isStopped) return;
    await this.#options.membership.announceChange().catch(() => {
      // They look by themselves with their next renewal.
    });
  }

  /** From now on it only looks: a node that was declared gone must not come back before its connections have ended. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    void this.beat();
  }

  /** Renews no more. Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#lookTimer);
    await this.#underWay;
  }

  /** An exchange that begins now, whatever is under way. */
  async #afresh(): Promise<void> {
    await this.#underWay;
    await this.beat();
  }

  async #tryExchange(): Promise<void> {
    if (this.#isStopped) return;
    try {
      await this.#exchange();
    } catch (error) {
      if (this.#isStopped) return;
      this.#failed += 1;
      const { own, now, onMissed } = this.#options;
      onMissed(error, own.missed(error instanceof Error ? error.message : String(error), now()));
    }
  }

  async #exchange(): Promise<void> {
    const { membership, own, leaseMs, record, now, onView } = this.#options;
    const askedMs = now();
    if (this.#isPaused) return onView({ own: 'gone', nodes: await membership.list() }, askedMs, undefined);
    const view = await membership.renew(record(), leaseMs, own.state === 'sent away');
    if (this.#isStopped) return;
    onView(view, askedMs, own.renewed(view.own, askedMs, now()));
  }
}
