/**
 * The actor of one client connection. It owns the session's place in the tree and the messages that concern a
 * single connection; comedy is handed the finished object, which saves a copy of parameters per connection.
 */
import type { Session } from './session.js';

export interface CloseConnection {
  readonly code: number;
  readonly reason: string;
}

export default class ConnectionActor {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  close({ code, reason }: CloseConnection): void {
    this.#session.close(code, reason);
  }
}
