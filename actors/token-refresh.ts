/**
 * AUTH: a new token on a live connection, one at a time. The old one stays when the new one is not acceptable or not for
 * the same device; an AUTH that comes while another is open is answered at once and its token not looked at, because
 * judging a signature is the dearest thing a client can ask for.
 */
import { type AuthFrame, Status } from '../protocol/index.js';
import type { DeviceClaims } from './ports.js';
import type { Session } from './session.js';

export class TokenRefresh {
  readonly #session: Session;
  #isOpen = false;

  constructor(session: Session) {
    this.#session = session;
  }

  start({ requestId, token }: AuthFrame): void {
    if (this.#isOpen) return this.#session.respond(requestId, Status.resourceExhausted);
    this.#isOpen = true;
    void this.#verify(token).then((claims) => {
      this.#isOpen = false;
      this.#finish(requestId, claims);
    });
  }

  #finish(requestId: number, claims: DeviceClaims | undefined): void {
    const session = this.#session;
    if (session.state === 'closed') return;
    if (claims === undefined) return session.respond(requestId, Status.unauthenticated);
    session.renew(claims);
    session.respond(requestId, Status.ok, { 'expires-at-ms': String(claims.expiresAtMs) });
  }

  async #verify(token: string): Promise<DeviceClaims | undefined> {
    const { worker, claims } = this.#session;
    try {
      const renewed = await worker.verifier.verify(token);
      return renewed.app === claims.app && renewed.deviceId === claims.deviceId ? renewed : undefined;
    } catch {
      return undefined;
    }
  }
}
