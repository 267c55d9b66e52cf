/** AUTH: a new token on a live connection. The old one stays when the new one is not for the same device. */
import { type AuthFrame, Status } from '../protocol/index.js';
import type { DeviceClaims } from './ports.js';
import type { Session } from './session.js';

export function refreshToken(session: Session, { requestId, token }: AuthFrame): void {
  void verify(session, token).then((claims) => {
    if (session.state === 'closed') return;
    if (claims === undefined) return session.respond(requestId, Status.unauthenticated);
    session.renew(claims);
    session.respond(requestId, Status.ok, { 'expires-at-ms': String(claims.expiresAtMs) });
  });
}

async function verify(session: Session, token: string): Promise<DeviceClaims | undefined> {
  try {
    const claims = await session.worker.verifier.verify(token);
    const isSameDevice = claims.app === session.claims.app && claims.deviceId === session.claims.deviceId;
    return isSameDevice ? claims : undefined;
  } catch {
    return undefined;
  }
}
