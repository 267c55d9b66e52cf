/**
 * An access worker's way to the router in the main thread. Logins, leaves and group sizes of one turn travel in
 * one message each, outcomes of pushes in one packed buffer.
 */

import { type OutcomeCode, OutcomeWriter } from './delivery-batch.js';
import type { DeviceKey } from './ports.js';

/** A login that wants its device's route. */
export interface RouteClaim extends DeviceKey {
  readonly serial: number;
  readonly uid: string | undefined;
  /** Ids of granted businesses. */
  readonly grants: readonly number[];
  /** Milliseconds since the Unix epoch. */
  readonly sinceMs: number;
}

export interface RouteRelease extends DeviceKey {
  readonly fence: number;
}

/** A group's position when a worker begins to listen to it. */
export interface GroupStream {
  readonly epoch: string;
  readonly offset: number;
}

export interface GroupSize {
  readonly businessId: number;
  readonly group: string;
  readonly members: number;
}

/** Messages to the router; `worker` is filled in by the link. */
export interface RouterMailbox {
  claimRoutes(message: { worker: number; claims: RouteClaim[] }): Promise<{ fences: number[] }>;
  releaseRoutes(message: { worker: number; releases: RouteRelease[] }): void;
  listenToGroup(message: { worker: number; businessId: number; group: string; create: boolean }): Promise<{
    stream: GroupStream | undefined;
  }>;
  groupSizes(message: { worker: number; sizes: GroupSize[] }): void;
  outcomes(message: { worker: number; outcomes: Uint8Array }): void;
}

/** comedy's two ways to reach the parent of a threaded actor. */
export interface ParentPort {
  send(topic: string, message: object): Promise<unknown>;
  sendAndReceive(topic: string, message: object): Promise<unknown>;
}

interface PendingClaim {
  readonly claim: RouteClaim;
  readonly resolve: (fence: number) => void;
  readonly reject: (error: unknown) => void;
}

export class RouterLink {
  readonly #worker: number;
  readonly #parent: ParentPort;
  readonly #onError: (error: unknown) => void;
  #claims: PendingClaim[] = [];
  #releases: RouteRelease[] = [];
  readonly #sizes = new Map<string, GroupSize>();
  readonly #outcomes = new OutcomeWriter();
  #immediate: NodeJS.Immediate | undefined;

  constructor(worker: number, parent: ParentPort, onError: (error: unknown) => void) {
    this.#worker = worker;
    this.#parent = parent;
    this.#onError = onError;
  }

  /** @returns the route's fence number */
  claim(claim: RouteClaim): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#claims.push({ claim, resolve, reject });
      this.#wake();
    });
  }

  release(release: RouteRelease): void {
    this.#releases.push(release);
    this.#wake();
  }

  /** @returns where the group's stream stands, `undefined` when there is no such group */
  async listenToGroup(businessId: number, group: string, create: boolean): Promise<GroupStream | undefined> {
    // Sizes first: the report that the last member left must not overtake the wish to listen again.
    this.#flush();
    const reply = await this.#ask<{ stream: GroupStream | undefined }>('listenToGroup', { businessId, group, create });
    return reply.stream;
  }

  groupSize(size: GroupSize): void {
    this.#sizes.set(`${size.businessId} ${size.group}`, size);
    this.#wake();
  }

  outcome(pushId: number, index: number, code: OutcomeCode, members: number): void {
    if (pushId === 0) return;
    this.#outcomes.add(pushId, index, code, members);
    this.#wake();
  }

  #wake(): void {
    this.#immediate ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    if (this.#releases.length > 0) {
      this.#send('releaseRoutes', { releases: this.#releases });
      this.#releases = [];
    }
    if (this.#claims.length > 0) void this.#flushClaims();
    if (this.#sizes.size > 0) {
      this.#send('groupSizes', { sizes: [...this.#sizes.values()] });
      this.#sizes.clear();
    }
    if (!this.#outcomes.isEmpty) this.#send('outcomes', { outcomes: this.#outcomes.take() });
  }

  async #flushClaims(): Promise<void> {
    const claims = this.#claims;
    this.#claims = [];
    try {
      const { fences } = await this.#ask<{ fences: number[] }>('claimRoutes', {
        claims: claims.map(({ claim }) => claim),
      });
      claims.forEach(({ resolve }, i) => {
        resolve(fences[i] as number);
      });
    } catch (error) {
      for (const { reject } of claims) reject(error);
    }
  }

  #send(topic: keyof RouterMailbox, message: object): void {
    this.#parent.send(topic, { worker: this.#worker, ...message }).catch(this.#onError);
  }

  #ask<Reply>(topic: keyof RouterMailbox, message: object): Promise<Reply> {
    return this.#parent.sendAndReceive(topic, { worker: this.#worker, ...message }) as Promise<Reply>;
  }
}
