/**
 * Holds the token and gets the next one before it expires. Remaining life is counted by the server's clock, known
 * from CONNACK, because a device's own clock may be hours off.
 */
import { backoffMs, DEFAULT_RETRY, type RetrySettings } from './backoff.js';
import type { Credentials } from './bootstrap.js';
import type { Clock } from './clock.js';
import { asError } from './events.js';
import type { PulseSettings } from './pulse/pulse.js';

/** A token is renewed somewhere between these shares of its life, so that devices do not renew in step. */
const EARLIEST_RENEWAL = 0.75;
const LATEST_RENEWAL = 0.85;

/** A token with less life than this is not worth a login. */
const MIN_LIFE_MS = 1_000;

export interface CredentialsKeeperOptions {
  readonly fetch: () => Promise<Credentials>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Puts the renewed token on the live connection. */
  readonly renew: (credentials: Credentials) => Promise<void>;
  readonly onError: (error: Error) => void;
}

export class CredentialsKeeper {
  readonly #options: CredentialsKeeperOptions;
  #latest: Credentials | undefined;
  #forgotten = true;
  #fetching: Promise<Credentials> | undefined;
  /** The server's clock minus ours. */
  #skewMs = 0;
  #cancelRenewal = (): void => {};

  constructor(options: CredentialsKeeperOptions) {
    this.#options = options;
  }

  /** Fit for a login; undefined when new ones must be fetched. */
  get usable(): Credentials | undefined {
    return !this.#forgotten && this.#lifeMs() >= MIN_LIFE_MS ? this.#latest : undefined;
  }

  get deviceId(): string | undefined {
    return this.#latest?.deviceId;
  }

  /** What the control layer said last, in force or not. */
  get latest(): Credentials | undefined {
    return this.#latest;
  }

  get retry(): RetrySettings {
    return this.#latest?.retry ?? DEFAULT_RETRY;
  }

  get settings(): PulseSettings {
    return this.#latest ?? { heartbeat: undefined, report: undefined };
  }

  /** Fetches; callers at the same time share one answer. */
  fetch(): Promise<Credentials> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  /** The server did not accept the token. */
  forget(): void {
    this.#forgotten = true;
  }

  /** Online: the token is to be renewed in time. */
  startRenewal(serverTimeMs: number): void {
    this.#skewMs = serverTimeMs - this.#options.clock.nowMs();
    this.#schedule();
  }

  /** Offline: a login will need a token, not a renewal. */
  stopRenewal(): void {
    this.#cancelRenewal();
  }

  async #fetchOnce(): Promise<Credentials> {
    this.#latest = await this.#options.fetch();
    this.#forgotten = false;
    return this.#latest;
  }

  #lifeMs(): number {
    return (this.#latest?.expiresAtMs ?? 0) - this.#options.clock.nowMs() - this.#skewMs;
  }

  #schedule(): void {
    const share = EARLIEST_RENEWAL + (LATEST_RENEWAL - EARLIEST_RENEWAL) * this.#options.random();
    this.#arm(Math.max(MIN_LIFE_MS, this.#lifeMs() * share), 0);
  }

  #arm(delayMs: number, attempt: number): void {
    this.#cancelRenewal();
    let stopped = false;
    const cancelTimer = this.#options.clock.setTimer(() => void this.#renew(attempt, () => stopped), delayMs);
    this.#cancelRenewal = () => {
      stopped = true;
      cancelTimer();
    };
  }

  async #renew(attempt: number, isStopped: () => boolean): Promise<void> {
    try {
      const credentials = await this.fetch();
      if (isStopped()) return;
      await this.#options.renew(credentials);
      if (!isStopped()) this.#schedule();
    } catch (error) {
      if (isStopped()) return;
      this.#options.onError(asError(error));
      this.#arm(MIN_LIFE_MS + backoffMs(attempt, this.retry, this.#options.random()), attempt + 1);
    }
  }
}
