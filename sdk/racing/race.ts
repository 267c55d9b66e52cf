/**
 * One race of candidates to a login. Links race; logins do not: CONNECT is sent by the link that opened first, and
 * another open link takes over only when that one is overdue, because at the server a login ends the one before it,
 * and the loser's would end the winner's.
 *
 * The next candidate starts `delayMs` after the last sign of progress of any, or at once when one failed. One that
 * shows no progress for eight times that long gives its place up as soon as somebody could use it. Everything is
 * decided in `#step`, which runs after each event and at the moment when the next decision falls due.
 *
 * @see docs/decisions/0075-links-race-logins-do-not.md
 */
import { CloseCode } from '../../protocol/index.js';
import type { Target } from '../bootstrap.js';
import type { Clock } from '../clock.js';
import type { Connection } from '../connection.js';
import { Deferred } from '../deferred.js';
import { ConnectError } from '../errors.js';

export interface RaceSettings {
  /** Without progress for so long, the next candidate starts. */
  readonly delayMs: number;
  /** Candidates under way at the same time. */
  readonly maxParallel: number;
}

export const DEFAULT_RACING: RaceSettings = { delayMs: 250, maxParallel: 3 };
/** Each candidate waits for the failure of the one before it. */
export const ONE_AT_A_TIME: RaceSettings = { delayMs: Number.POSITIVE_INFINITY, maxParallel: 1 };

/** Without progress for so many delays, a candidate is overdue. */
const OVERDUE_AFTER_DELAYS = 8;

export interface Candidate {
  readonly target: Target;
  /** Failed lately: starts when every other has failed or is overdue. */
  readonly isBanned: boolean;
}

export interface RaceOptions {
  /** In the order in which they start; one at least. */
  readonly candidates: readonly Candidate[];
  readonly settings: RaceSettings;
  readonly clock: Clock;
  readonly open: (target: Target, onProgress: (isOpen: boolean) => void) => Connection;
  /**
   * @param sentConnect its login may still reach the server
   * @param isFinal it is not the target's fault
   */
  readonly onLost: (target: Target, sentConnect: boolean, isFinal: boolean) => void;
  readonly onPhase: (phase: 'connecting' | 'handshaking') => void;
}

export interface RaceResult {
  readonly connection: Connection;
  /** Of `candidates`. */
  readonly winner: Candidate;
  /** Candidates that failed before. */
  readonly losers: number;
}

interface Runner {
  readonly candidate: Candidate;
  readonly connection: Connection;
  progressMs: number;
  isOpen: boolean;
  isLoggingIn: boolean;
}

export class Race {
  readonly #options: RaceOptions;
  readonly #waiting: Candidate[];
  readonly #runners = new Set<Runner>();
  readonly #finished = new Deferred<RaceResult>();
  #losers = 0;
  /** The last candidate failed: the next does not wait. */
  #isNextDue = true;
  #lastProgressMs = 0;
  #cancelTimer = (): void => {};

  /**
   * @returns resolves with the first connection that is let in
   * @throws {ConnectError} the last failure, or the first refusal that no other candidate would answer better
   */
  static run(options: RaceOptions): Promise<RaceResult> {
    const race = new Race(options);
    race.#step();
    return race.#finished.promise;
  }

  private constructor(options: RaceOptions) {
    this.#options = options;
    this.#waiting = [...options.candidates];
  }

  get #patienceMs(): number {
    return OVERDUE_AFTER_DELAYS * this.#options.settings.delayMs;
  }

  #step(): void {
    const nowMs = this.#options.clock.nowMs();
    this.#logIn(nowMs);
    while (this.#mayStart(nowMs)) this.#start(this.#waiting.shift() as Candidate, nowMs);
    this.#cancelTimer();
    const moments = [...this.#runners].map(({ progressMs }) => progressMs + this.#patienceMs);
    if (this.#waiting.length > 0) moments.push(this.#lastProgressMs + this.#options.settings.delayMs);
    const nextMs = Math.min(...moments.filter((moment) => moment > nowMs));
    if (nextMs < Number.POSITIVE_INFINITY) {
      this.#cancelTimer = this.#options.clock.setTimer(() => this.#step(), nextMs - nowMs);
    }
  }

  /** Gives the login to the link that opened first, or to the next when the one that has it is overdue. */
  #logIn(nowMs: number): void {
    const next = this.#find(({ isOpen, isLoggingIn }) => isOpen && !isLoggingIn);
    const current = this.#find(({ isLoggingIn }) => isLoggingIn);
    if (next !== undefined && (current === undefined || this.#isOverdue(current, nowMs))) {
      if (current !== undefined) this.#giveUp(current);
      next.isLoggingIn = true;
      next.progressMs = this.#lastProgressMs = nowMs;
      this.#options.onPhase('handshaking');
      next.connection.login();
    } else if (current === undefined) this.#options.onPhase('connecting');
  }

  #mayStart(nowMs: number): boolean {
    const [next] = this.#waiting;
    if (next === undefined || this.#runners.size === 0) return next !== undefined;
    const { delayMs, maxParallel } = this.#options.settings;
    if (!this.#isNextDue && nowMs < this.#lastProgressMs + delayMs) return false;
    const hasBetter = (runner: Runner) => !runner.candidate.isBanned && !this.#isOverdue(runner, nowMs);
    if (next.isBanned && this.#find(hasBetter) !== undefined) return false;
    if (this.#runners.size < maxParallel) return true;
    const slow = this.#find((runner) => this.#isOverdue(runner, nowMs));
    if (slow !== undefined) this.#giveUp(slow);
    return slow !== undefined;
  }

  #start(candidate: Candidate, nowMs: number): void {
    this.#isNextDue = false;
    this.#lastProgressMs = nowMs;
    const connection = this.#options.open(candidate.target, (isOpen) => {
      runner.progressMs = this.#lastProgressMs = this.#options.clock.nowMs();
      runner.isOpen = isOpen;
      if (this.#runners.has(runner)) this.#step();
    });
    const runner: Runner = { candidate, connection, progressMs: nowMs, isOpen: false, isLoggingIn: false };
    this.#runners.add(runner);
    connection.opened.then(
      () => this.#won(runner),
      (error: Error) => this.#failed(runner, error),
    );
  }

  #won(runner: Runner): void {
    if (!this.#runners.delete(runner)) return;
    this.#end();
    this.#finished.resolve({ connection: runner.connection, winner: runner.candidate, losers: this.#losers });
  }

  #failed(runner: Runner, error: Error): void {
    if (!this.#runners.has(runner)) return;
    const isFinal = error instanceof ConnectError && error.advice !== 'reconnect';
    this.#lost(runner, isFinal);
    if (isFinal || this.#runners.size + this.#waiting.length === 0) {
      this.#end();
      return this.#finished.reject(error);
    }
    this.#isNextDue = true;
    this.#step();
  }

  #giveUp(runner: Runner): void {
    this.#lost(runner, false);
    runner.connection.close(CloseCode.goingAway, 'overdue');
  }

  #lost(runner: Runner, isFinal: boolean): void {
    this.#runners.delete(runner);
    this.#losers += 1;
    this.#options.onLost(runner.candidate.target, runner.isLoggingIn, isFinal);
  }

  /** Nobody starts any more, and who is under way stops. */
  #end(): void {
    this.#cancelTimer();
    this.#waiting.length = 0;
    for (const { connection } of this.#runners) connection.close(CloseCode.goingAway, 'too late');
    this.#runners.clear();
  }

  #isOverdue({ progressMs }: Runner, nowMs: number): boolean {
    return nowMs >= progressMs + this.#patienceMs;
  }

  /** The first that started, of those that match. */
  #find(matches: (runner: Runner) => boolean): Runner | undefined {
    return [...this.#runners].find(matches);
  }
}
