/**
 * GOAWAY to the connections of one access worker, spread evenly over a window: who is told comes back elsewhere within a
 * moment of its own, so nobody waits long and the other nodes meet no storm.
 *
 * A connection with something under way is put off until it is done, at the latest to the end of the window; it may
 * finish even then, while the drain goes on. No timer of its own: `tick` is called again and again.
 */
import type { Session } from '../actors/index.js';
import { type DrainTarget, DrainTargetPicker } from './drain-targets.js';

/** Plain data: it crosses a thread. */
export interface DrainPacing {
  /** Over which the connections are told. */
  readonly windowMs: number;
  /** In which each comes back: a random moment. */
  readonly reconnectMs: number;
  readonly targets: readonly DrainTarget[];
}

export interface PacedDrainOptions extends DrainPacing {
  readonly reason: number;
  readonly sessions: Iterable<PacedSession>;
  /** Access workers that do the same at the same time. */
  readonly workers: number;
  readonly nowMs: number;
}

export type PacedSession = Pick<Session, 'state' | 'isIdle' | 'protocol' | 'drain'>;

export class PacedDrain {
  readonly #options: PacedDrainOptions;
  readonly #picker: DrainTargetPicker;
  readonly #sessions: readonly PacedSession[];
  #next = 0;
  #busy: PacedSession[] = [];

  constructor(options: PacedDrainOptions) {
    this.#options = options;
    this.#picker = new DrainTargetPicker(options.targets, options.workers);
    this.#sessions = [...options.sessions];
  }

  /** Tells those whose moment has come. @returns whether all were told */
  tick(nowMs: number): boolean {
    const { windowMs, nowMs: startedMs } = this.#options;
    const share = windowMs <= 0 ? 1 : Math.min((nowMs - startedMs) / windowMs, 1);
    const due = share === 1 ? this.#sessions.length : Math.floor(this.#sessions.length * share);
    const waiting = this.#busy;
    this.#busy = [];
    for (const session of waiting) this.#tell(session);
    while (this.#next < due) this.#tell(this.#sessions[this.#next++] as PacedSession);
    if (share < 1) return false;
    for (const session of this.#busy) this.#send(session);
    this.#busy = [];
    return true;
  }

  #tell(session: PacedSession): void {
    if (session.state !== 'online') return;
    if (session.isIdle) this.#send(session);
    else this.#busy.push(session);
  }

  #send(session: PacedSession): void {
    const { reason, reconnectMs } = this.#options;
    if (session.state === 'online') session.drain(reason, reconnectMs, this.#picker.next(session.protocol));
  }
}
