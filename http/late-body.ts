/**
 * Bodies that do not arrive in time. Node has one such limit for a whole server; here a route may stream its body for
 * as long as it likes, so the limit is kept per request and Node's own covers headers alone.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerClientError } from './answers.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route reads its body as it comes and keeps its own time. */
    streamsBody?: boolean;
  }
}

/** Every request from here on is answered 408 when its body is not there after `timeoutMs`. */
export function limitBodyTime(app: Pick<FastifyInstance, 'addHook'>, timeoutMs: number): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (hasBody(request) && request.routeOptions.config.streamsBody !== true) watch(request, reply, timeoutMs);
    done();
  });
}

function hasBody({ headers }: FastifyRequest): boolean {
  const length = headers['content-length'];
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined;
}

function watch({ raw }: FastifyRequest, reply: FastifyReply, timeoutMs: number): void {
  const timer = setTimeout(() => {
    if (raw.complete || reply.sent) return;
    answerClientError(Object.assign(new Error('late body'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), raw.socket);
  }, timeoutMs);
  timer.unref();
  raw.once('close', () => clearTimeout(timer));
}
