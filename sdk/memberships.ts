/**
 * The groups this device is in. A membership belongs to the server's session and ends with it, so after each login
 * every group is joined again, from the position last seen; pushes missed meanwhile are told as a gap. A refusal that waiting cannot help ends the
 * membership; any other is tried again for as long as the device is online.
 */
import { Status, TrunklineError } from '../protocol/index.js';
import type { Calls, GroupPosition, JoinAnswer } from './calls.js';
import type { Clock } from './clock.js';
import { ConnectionLostError, RequestError } from './errors.js';
import { asError } from './events.js';

export interface MembershipOptions {
  readonly calls: Calls;
  readonly clock: Clock;
  readonly isOnline: () => boolean;
  /** Delay before a failed rejoin is tried again. */
  readonly retryDelayMs: () => number;
  /** Joined again, without the pushes since the position last seen; how many is unknown (0) in a new stream. */
  readonly onMissed: (business: string, group: string, count: number) => void;
  readonly onRejoinFailed: (business: string, group: string, error: Error, retrying: boolean) => void;
}

/** One group, joined; the position follows the pushes. */
export interface Membership {
  readonly group: string;
  /** Names the group's stream; another epoch is another stream. */
  readonly epoch: string;
  /** Of the last push seen, at first of the moment of joining. */
  readonly offset: number;
  /** False once left, dissolved, removed, or not granted again after a reconnect. */
  readonly active: boolean;
  leave(): Promise<void>;
}

export class Memberships {
  readonly #options: MembershipOptions;
  readonly #joined = new Map<string, Joined>();

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  async join(business: string, group: string): Promise<Membership> {
    const position = await this.#options.calls.join(business, group);
    const key = keyOf(business, group);
    const joined = this.#joined.get(key) ?? new Joined(business, group, () => this.leave(business, group));
    this.#joined.set(key, joined);
    joined.moveTo(position);
    return joined;
  }

  /** Offline there is nothing to tell the server: its side of the membership ended with the connection. */
  async leave(business: string, group: string): Promise<void> {
    const wasJoined = this.ended(business, group);
    if (wasJoined && !this.#options.isOnline()) return;
    try {
      await this.#options.calls.leave(business, group);
    } catch (error) {
      // The server ended the membership in the same moment: just as well.
      const isGone = error instanceof RequestError && error.status === Status.notFound;
      if (!wasJoined || !isGone) throw error;
    }
    // A JOIN that was under way when this began was answered before the LEAVE.
    this.ended(business, group);
  }

  /** The membership is over; nothing more is asked of the server. @returns whether there was one */
  ended(business: string, group: string): boolean {
    const joined = this.#joined.get(keyOf(business, group));
    if (joined === undefined) return false;
    joined.active = false;
    return this.#joined.delete(keyOf(business, group));
  }

  allEnded(): void {
    for (const { business, group } of [...this.#joined.values()]) this.ended(business, group);
  }

  /** A push of the group was seen. */
  seen(business: string, group: string, offset: number): void {
    const joined = this.#joined.get(keyOf(business, group));
    if (joined !== undefined) joined.offset = Math.max(joined.offset, offset);
  }

  /** After a login. */
  rejoinAll(): void {
    for (const joined of this.#joined.values()) void this.#rejoin(joined);
  }

  async #rejoin(joined: Joined): Promise<void> {
    if (joined.rejoining || !joined.active || !this.#options.isOnline()) return;
    joined.rejoining = true;
    const { business, group, epoch, offset } = joined;
    try {
      this.#rejoined(joined, await this.#options.calls.join(business, group, { epoch, offset }));
    } catch (error) {
      if (joined.active) this.#rejoinFailed(joined, asError(error));
    } finally {
      joined.rejoining = false;
    }
  }

  #rejoined(joined: Joined, answer: JoinAnswer): void {
    const isSameStream = answer.epoch === joined.epoch;
    const missed = isSameStream ? answer.offset - joined.offset : 0;
    if (!answer.recovered) joined.moveTo(answer);
    if (!answer.recovered && (missed > 0 || !isSameStream)) {
      this.#options.onMissed(joined.business, joined.group, missed);
    }
  }

  #rejoinFailed(joined: Joined, error: Error): void {
    const { clock, isOnline, retryDelayMs, onRejoinFailed } = this.#options;
    const { business, group } = joined;
    const retrying = error instanceof TrunklineError && error.retryable;
    if (!retrying) this.ended(business, group);
    // Offline, the next login tries again by itself.
    else if (isOnline()) clock.setTimer(() => void this.#rejoin(joined), retryDelayMs());
    if (!(error instanceof ConnectionLostError)) onRejoinFailed(business, group, error, retrying);
  }
}

class Joined implements Membership {
  active = true;
  rejoining = false;
  epoch = '';
  offset = 0;

  constructor(
    readonly business: string,
    readonly group: string,
    readonly leave: () => Promise<void>,
  ) {}

  moveTo({ epoch, offset }: GroupPosition): void {
    this.offset = epoch === this.epoch ? Math.max(this.offset, offset) : offset;
    this.epoch = epoch;
  }
}

/** A business's name holds no line feed. */
function keyOf(business: string, group: string): string {
  return `${business}\n${group}`;
}
