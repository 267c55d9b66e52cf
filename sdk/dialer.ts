/**
 * From credentials to a connection: ranks the access points that were offered, lets them race, and learns from how
 * it went. What a GOAWAY asked for comes first until it fails or new credentials bring the control layer's word.
 */
import type { Credentials, Target } from './bootstrap.js';
import { Connection } from './connection.js';
import { NoTransportError } from './errors.js';
import type { ResolvedOptions } from './options.js';
import { DEFAULT_RACING, ONE_AT_A_TIME, Race } from './racing/race.js';
import { Ranking, type Why } from './racing/ranking.js';
import type { Connector } from './transports/connector.js';

export type DialPhase = 'connecting' | 'handshaking';

/** How a connection came about. */
export interface Choice {
  readonly why: Why;
  /** Candidates that failed before. */
  readonly losers: number;
}

/** `host:port`, alone or in a URL. */
const AUTHORITY = /(?<=^wss?:\/\/)[^/]+|^[^/]+$/;

/** A CONNECT that was given up can reach the server for as long: it allows a handshake 10 s, and clocks differ. */
const GHOST_MS = 15_000;

export class Dialer {
  readonly #options: ResolvedOptions;
  readonly #ranking: Ranking;
  #credentials: Credentials | undefined;
  #preferred: Target | undefined;
  #ghostUntilMs = 0;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#ranking = new Ranking(options.memory);
  }

  /**
   * Goes elsewhere first the next time, as a GOAWAY may ask.
   *
   * @param hostPort of the same protocol as `current`; empty leaves the order as it is
   */
  prefer(hostPort: string, { protocol, accessPoint }: Target): void {
    if (hostPort === '') return;
    this.#preferred = { protocol, accessPoint: accessPoint.replace(AUTHORITY, hostPort) };
  }

  /** The network may have changed: what failed before may work now. */
  forgive(): void {
    this.#ranking.forgive();
  }

  /** A login of this client that was given up may just have ended the one that won. */
  get mayHaveGhost(): boolean {
    return this.#options.clock.nowMs() < this.#ghostUntilMs;
  }

  /**
   * @returns resolves with the first connection that is let in
   * @throws {NoTransportError} nothing here speaks a protocol that was offered
   * @throws {ConnectError} the last target's failure, or the first refusal that no other target would answer better
   */
  async dial(
    credentials: Credentials,
    signal: AbortSignal,
    onPhase: (phase: DialPhase) => void,
  ): Promise<Choice & { readonly connection: Connection }> {
    const { clock, connectTimeoutMs: timeoutMs, attributes, network, racing, transports } = this.#options;
    const candidates = this.#ranking.rank(this.#orderOf(credentials), network(), clock.nowMs());
    if (candidates.length === 0) throw new NoTransportError(credentials.offered);
    const { token } = credentials;
    const result = await Race.run({
      candidates,
      settings: racing ? (credentials.racing ?? DEFAULT_RACING) : ONE_AT_A_TIME,
      clock,
      open: (target, onProgress) => {
        const connector = transports[target.protocol] as Connector;
        return new Connection({ target, connector, token, attributes, timeoutMs, clock, signal, onProgress });
      },
      onLost: (target, sentConnect, isFinal) => {
        if (sentConnect) this.#ghostUntilMs = clock.nowMs() + GHOST_MS;
        if (!isFinal) this.#failed(target);
      },
      onPhase,
    });
    const { connection, losers } = result;
    return { connection, losers, why: this.#ranking.won(result, clock.nowMs()) };
  }

  #failed(target: Target): void {
    this.#ranking.failed(target, this.#options.clock.nowMs());
    if (isSame(target, this.#preferred)) this.#preferred = undefined;
  }

  #orderOf(credentials: Credentials): Target[] {
    if (this.#credentials !== undefined && this.#credentials !== credentials) this.#preferred = undefined;
    this.#credentials = credentials;
    const first = this.#preferred;
    const others = credentials.targets.filter((target) => !isSame(target, first));
    const targets = first === undefined ? others : [first, ...others];
    return targets.filter(({ protocol }) => this.#options.transports[protocol] !== undefined);
  }
}

function isSame(a: Target, b: Target | undefined): boolean {
  return a.accessPoint === b?.accessPoint && a.protocol === b.protocol;
}
