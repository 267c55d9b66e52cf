/**
 * The three places where a refusal leaves the server: a route or hook that threw, a path nobody registered, and bytes
 * that never became a request. All of them answer with a problem.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'winston';
import { createErrorMapping, type StatusByCode } from './error-mapping.js';
import { KnownRoutes } from './known-routes.js';
import { PROBLEM_MEDIA_TYPE, ProblemError, toProblemDetails } from './problem.js';
import { SECURITY_HEADERS } from './security-headers.js';
import { discardBody } from './unread-body.js';

type SendError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/** Must run before any route is registered on `app`. */
export function answerWithProblems(app: FastifyInstance, sendError: SendError): void {
  const routes = new KnownRoutes(app);
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request, reply) => {
    const allowed = routes.allowed(request.url);
    sendError(allowed.length === 0 ? notFound() : methodNotAllowed(request.method, allowed), request, reply);
  });
}

/**
 * Logs what failed, never what was sent: no header, no body, and of the path only the route's pattern.
 *
 * @returns a handler that answers with the problem that `error` stands for
 */
export function createSendError(log: Logger, statusByCode: StatusByCode | undefined): SendError {
  const toProblem = createErrorMapping(statusByCode);
  return (error, request, reply) => {
    const problem = toProblem(error);
    const fields = { method: request.method, route: request.routeOptions?.url, status: problem.status };
    if (problem.status >= 500 && problem.cause !== undefined) {
      log.error('request failed', { ...fields, error: stackOf(problem.cause) });
    } else if (log.isDebugEnabled()) {
      log.debug('request refused', { ...fields, code: problem.code });
    }
    // Fastify asks for `close` after any body it could not use; unread-body.ts says why that is taken back.
    reply.removeHeader('connection');
    if (!request.raw.complete) discardBody(request.raw);
    // Again, since a request that the framework refused passed no hook.
    reply.headers(SECURITY_HEADERS);
    if (problem.headers !== undefined) reply.headers(problem.headers);
    reply.code(problem.status).header('content-type', PROBLEM_MEDIA_TYPE);
    reply.send(JSON.stringify(toProblemDetails(problem)));
  };
}

/** For bytes that are no HTTP request: writes one problem to the bare socket and ends it. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const problem = clientProblem(error.code);
  const body = JSON.stringify(toProblemDetails(problem));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function clientProblem(code: string | undefined): ProblemError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ProblemError(408, 'TRK_REQUEST_TIMEOUT', 'the request was not complete in time');
    case 'HPE_HEADER_OVERFLOW':
      return new ProblemError(431, 'TRK_HEADERS_TOO_LARGE', 'the headers are longer than this listener takes');
    default:
      return new ProblemError(400, 'TRK_INVALID_REQUEST', 'the bytes are not an HTTP/1.1 request');
  }
}

function notFound(): ProblemError {
  return new ProblemError(404, 'TRK_NOT_FOUND', 'no such path');
}

function methodNotAllowed(method: string, allowed: readonly string[]): ProblemError {
  const allow = allowed.join(', ');
  return new ProblemError(405, 'TRK_METHOD_NOT_ALLOWED', `${method} is not for this path; it takes ${allow}`, {
    headers: { allow },
  });
}

function stackOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
