/**
 * An access worker's way to the router in the main thread. Logins, leaves and group sizes of one turn travel in
 * one message each, outcomes of pushes in one packed buffer.
 */

import { EngineUnavailableError } from './errors.js';
import { Gatherer, type GatherWindow, THIS_TURN } from './gatherer.js';
import { type OutcomeCode, OutcomeWriter } from './outcome-batch.js';
import type { DeviceKey } from './ports.js';

/** A login that wants its device's route. */
export interface RouteClaim extends DeviceKey {
  readonly serial: number;
  readonly uid: string | undefined;
  /** Ids of granted businesses. */
  readonly grants: readonly number[];
}

/** A route that a session holds, as it is to stand. */
export interface RouteRestore extends RouteClaim {
  readonly fence: number;
}

/** The engine was not there to ask. A thread's errors lose their kind on the way, so this one is an answer. */
export interface EngineAway {
  readonly isEngineAway: true;
  readonly mayHaveArrived: boolean;
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

export type ClaimReply = { readonly fences: number[] } | EngineAway;
export type RestoreReply = { readonly stands: boolean[] } | EngineAway;

export interface ListenReply {
  /** `undefined` when there is no such group. */
  readonly stream: GroupStream | undefined;
}

/** Messages to the router; `worker` is filled in by the link. */
export interface RouterMailbox {
  claimRoutes(message: { worker: number; claims: RouteClaim[] }): Promise<ClaimReply>;
  /** @returns which stand; where the engine is away, the router goes on trying and closes those that do not */
  restoreRoutes(message: { worker: number; routes: RouteRestore[] }): Promise<RestoreReply>;
  releaseRoutes(message: { worker: number; releases: RouteRelease[] }): void;
  listenToGroup(message: { worker: number; businessId: number; group: string; create: boolean }): Promise<ListenReply>;
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

  /**
   * @returns the route's fence number
   * @throws {EngineUnavailableError}
   */
  claim(claim: RouteClaim): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#claims.push({ claim, resolve, reject });
      this.#gatherer.wake();
    });
  }

  /**
   * Puts routes as they are given, unless a newer login holds the device.
   *
   * @returns which of them stand; `undefined` when the engine is away: the router goes on trying
   */
  async restore(routes: readonly RouteRestore[]): Promise<readonly boolean[] | undefined> {
    const reply = await this.#ask<RestoreReply>('restoreRoutes', { routes });
    return 'stands' in reply ? reply.stands : undefined;
  }

  release(release: RouteRelease): void {
    this.#releases.push(release);
    this.#gatherer.wake();
  }

  /** @returns where the group's stream stands, `undefined` when there is no such group */
  async listenToGroup(businessId: number, group: string, create: boolean): Promise<GroupStream | undefined> {
    // Sizes first: the report that the last member left must not overtake the wish to listen again.
    this.#gatherer.flush();
    const reply = await this.#ask<ListenReply>('listenToGroup', { businessId, group, create });
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
      const reply = await this.#ask<ClaimReply>('claimRoutes', {
        claims: claims.map(({ claim }) => claim),
      });
      if (!('fences' in reply)) throw new EngineUnavailableError(reply.mayHaveArrived);
      const { fences } = reply;
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
