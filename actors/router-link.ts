/**
 * An access worker's way to the router in the main thread. Logins, leaves and group sizes of one turn travel in
 * one message each, outcomes of pushes in one packed buffer.
 */

import { type OutcomeCode, OutcomeWriter } from './delivery-batch.js';
import { Gatherer, type GatherWindow, THIS_TURN } from './gatherer.js';
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

/** A device's route as one login knows it. */
export interface FencedDevice extends DeviceKey {
  readonly fence: number;
}

export interface RouteRelease extends FencedDevice {
  /** Close code of the connection, 0 when it went without one. */
  readonly code: number;
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
  /** Whole RESPONSE frames, one behind the other; a request id is the id of the call. */
  callReplies(message: { worker: number; replies: Uint8Array }): void;
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
  #replies: Uint8Array[] = [];
  readonly #gatherer: Gatherer;

  constructor(
    worker: number,
    parent: ParentPort,
    onError: (error: unknown) => void,
    gatherWindow: GatherWindow = THIS_TURN,
  ) {
    this.#worker = worker;
    this.#parent = parent;
    this.#onError = onError;
    this.#gatherer = new Gatherer(() => this.#flush(), gatherWindow);
  }

  /** @returns the route's fence number */
  claim(claim: RouteClaim): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#claims.push({ claim, resolve, reject });
      this.#gatherer.wake();
    });
  }

  release(release: RouteRelease): void {
    this.#releases.push(release);
    this.#gatherer.wake();
  }

  /** @returns where the group's stream stands, `undefined` when there is no such group */
  async listenToGroup(businessId: number, group: string, create: boolean): Promise<GroupStream | undefined> {
    // Sizes first: the report that the last member left must not overtake the wish to listen again.
    this.#gatherer.flush();
    const reply = await this.#ask<{ stream: GroupStream | undefined }>('listenToGroup', { businessId, group, create });
    return reply.stream;
  }

  groupSize(size: GroupSize): void {
    this.#sizes.set(`${size.businessId} ${size.group}`, size);
    this.#gatherer.wake();
  }

  outcome(pushId: number, index: number, code: OutcomeCode, members: number): void {
    if (pushId === 0) return;
    this.#outcomes.add(pushId, index, code, members);
    this.#gatherer.wake();
  }

  /** @param frame a whole RESPONSE frame; nobody changes it any more */
  callReply(frame: Uint8Array): void {
    this.#replies.push(frame);
    this.#gatherer.wake();
  }

  #flush(): void {
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
    if (this.#replies.length > 0) this.#flushReplies();
  }

  #flushReplies(): void {
    const bytes = this.#replies.reduce((sum, { length }) => sum + length, 0);
    // Not from the pool: a clone to another thread takes the whole of what is behind a buffer.
    const replies = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (const reply of this.#replies) {
      replies.set(reply, at);
      at += reply.length;
    }
    this.#replies = [];
    this.#send('callReplies', { replies });
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
