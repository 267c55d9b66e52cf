/**
 * From credentials to a connection: walks the access points in their order until one lets the client in. The one
 * that worked last comes first the next time, so that a blocked protocol costs its timeout once and not at each
 * reconnect; new credentials bring the control layer's order back.
 */
import type { Credentials, Target } from './bootstrap.js';
import { Connection } from './connection.js';
import { ConnectError, NoTransportError } from './errors.js';
import { asError } from './events.js';
import type { ResolvedOptions } from './options.js';

export type DialPhase = 'connecting' | 'handshaking';

/** `host:port`, alone or in a URL. */
const AUTHORITY = /(?<=^wss?:\/\/)[^/]+|^[^/]+$/;

export class Dialer {
  readonly #options: ResolvedOptions;
  #credentials: Credentials | undefined;
  #preferred: Target | undefined;

  constructor(options: ResolvedOptions) {
    this.#options = options;
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

  /**
   * @returns resolves with the first connection that is let in
   * @throws {NoTransportError} nothing here speaks a protocol that was offered
   * @throws {ConnectError} the last target's failure, or the first refusal that no other target would answer better
   */
  async dial(credentials: Credentials, signal: AbortSignal, onPhase: (phase: DialPhase) => void): Promise<Connection> {
    let failure: Error = new NoTransportError(credentials.offered);
    for (const target of this.#plan(credentials)) {
      onPhase('connecting');
      try {
        const connection = await this.#open(target, credentials, signal, onPhase);
        this.#preferred = target;
        return connection;
      } catch (error) {
        failure = asError(error);
        if (signal.aborted || (error instanceof ConnectError && error.advice !== 'reconnect')) break;
      }
    }
    throw failure;
  }

  #plan(credentials: Credentials): Target[] {
    if (this.#credentials !== undefined && this.#credentials !== credentials) this.#preferred = undefined;
    this.#credentials = credentials;
    const first = this.#preferred;
    const others = credentials.targets.filter(
      (t) => t.accessPoint !== first?.accessPoint || t.protocol !== first.protocol,
    );
    const targets = first === undefined ? others : [first, ...others];
    return targets.filter(({ protocol }) => this.#options.transports[protocol] !== undefined);
  }

  #open(
    target: Target,
    credentials: Credentials,
    signal: AbortSignal,
    onPhase: (phase: DialPhase) => void,
  ): Promise<Connection> {
    const connector = this.#options.transports[target.protocol];
    if (connector === undefined) throw new NoTransportError(credentials.offered);
    return Connection.open({
      target,
      connector,
      token: credentials.token,
      attributes: this.#options.attributes,
      timeoutMs: this.#options.connectTimeoutMs,
      clock: this.#options.clock,
      signal,
      onHandshaking: () => onPhase('handshaking'),
    });
  }
}
