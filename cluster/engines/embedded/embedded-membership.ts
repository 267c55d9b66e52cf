/**
 * Membership of a service of one node, in memory. Its clock stands still unless one is given: there is nobody who
 * could take the node off, so a pause of the process must not make its lease lapse either.
 */
import type { Membership, MembershipView, NodeLease, NodeRecord } from '../contract/index.js';

export interface EmbeddedMembershipOptions {
  /** Microseconds since the Unix epoch: what fences are numbered by. */
  readonly clockUs: () => number;
  /** What leases are measured by, in milliseconds. */
  readonly leaseClockMs?: (() => number) | undefined;
}

interface Member {
  readonly record: NodeRecord;
  readonly untilMs: number;
}

export class EmbeddedMembership implements Membership {
  readonly #members = new Map<string, Member>();
  /** Until when a node that was declared gone is being swept. */
  readonly #goneUntilMs = new Map<string, number>();
  /** Those that were swept and have not come back. */
  readonly #swept = new Set<string>();
  readonly #listeners: (() => void)[] = [];
  readonly #clockUs: () => number;
  readonly #leaseClockMs: () => number;

  constructor({ clockUs, leaseClockMs = () => 0 }: EmbeddedMembershipOptions) {
    this.#clockUs = clockUs;
    this.#leaseClockMs = leaseClockMs;
  }

  renew(record: NodeRecord, leaseMs: number, hasHeard = false): Promise<MembershipView> {
    const { incarnation } = record;
    if (this.#isGone(incarnation) || (this.#swept.has(incarnation) && !hasHeard)) {
      return Promise.resolve({ own: 'gone', nodes: this.#nodes() });
    }
    this.#swept.delete(incarnation);
    const own = this.#leftMs(incarnation) > 0 ? 'renewed' : 'new';
    this.#members.set(incarnation, { record, untilMs: this.#leaseClockMs() + leaseMs });
    if (own === 'new') this.#changed();
    return Promise.resolve({ own, nodes: this.#nodes() });
  }

  list(): Promise<readonly NodeLease[]> {
    return Promise.resolve(this.#nodes());
  }

  withdraw(incarnation: string): Promise<void> {
    const known = this.#members.delete(incarnation);
    if (this.#isGone(incarnation)) this.#swept.add(incarnation);
    this.#goneUntilMs.delete(incarnation);
    if (known) this.#changed();
    return Promise.resolve();
  }

  declareGone(incarnation: string, retryMs: number): Promise<number | undefined> {
    const isLapsed = this.#members.has(incarnation) && this.#leftMs(incarnation) === 0;
    if (!isLapsed || this.#isGone(incarnation)) return Promise.resolve(undefined);
    this.#goneUntilMs.set(incarnation, this.#leaseClockMs() + retryMs);
    return Promise.resolve(this.#clockUs());
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  announceChange(): Promise<void> {
    this.#changed();
    return Promise.resolve();
  }

  #nodes(): NodeLease[] {
    return [...this.#members.values()].map(({ record }) => ({ record, leftMs: this.#leftMs(record.incarnation) }));
  }

  #leftMs(incarnation: string): number {
    return Math.max(0, (this.#members.get(incarnation)?.untilMs ?? 0) - this.#leaseClockMs());
  }

  #isGone(incarnation: string): boolean {
    return (this.#goneUntilMs.get(incarnation) ?? 0) > this.#leaseClockMs();
  }

  /** Later, as an announcement that comes from elsewhere. */
  #changed(): void {
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener();
    });
  }
}
