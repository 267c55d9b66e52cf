/**
 * `Authorization: Bearer <key>` for a group of routes, judged before any byte of a body is read.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Keyring } from './keyring.js';
import { ProblemError } from './problem.js';

const CHALLENGE = 'Bearer realm="trunkline"';
const SCHEME = /^bearer +(\S+)$/i;

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose key came with the request; empty on a route that asks for none. */
    subject: string;
    /** The key itself, never to be logged; empty on a route that asks for none. */
    key: string;
  }
}

/** Every route registered on `scope` from here on asks for a key of `keyring`; `request.subject` tells whose it was. */
export function requireKey(scope: Pick<FastifyInstance, 'addHook'>, keyring: Keyring): void {
  scope.addHook('onRequest', (request, _reply, done) => {
    const refusal = authenticate(keyring, request);
    if (refusal !== undefined) return done(refusal);
    done();
  });
}

function authenticate(keyring: Keyring, request: FastifyRequest): ProblemError | undefined {
  const { authorization } = request.headers;
  if (authorization === undefined) {
    return new ProblemError(401, 'TRK_UNAUTHENTICATED', 'this route needs "Authorization: Bearer <key>"', {
      headers: { 'www-authenticate': CHALLENGE },
    });
  }
  const key = SCHEME.exec(authorization)?.[1];
  const subject = key === undefined ? undefined : keyring.find(key);
  if (key !== undefined && subject !== undefined) {
    request.subject = subject;
    request.key = key;
    return undefined;
  }
  return new ProblemError(401, 'TRK_UNAUTHENTICATED', 'the key is not one of this node', {
    headers: { 'www-authenticate': `${CHALLENGE}, error="invalid_token"` },
  });
}
