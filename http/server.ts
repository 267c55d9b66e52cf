/**
 * The HTTP server that the bridge and the control layer share: one Fastify instance with limits, zod validation and
 * problem details in place. It logs failures only; a line per request would cost more than a push does.
 *
 * @see docs/api.md, "Errors"
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyPluginOptions,
  type RawServerDefault,
} from 'fastify';
import type { Logger } from 'winston';
import { TrunklineError } from '../protocol/index.js';
import { answerClientError, answerWithProblems, createSendError } from './answers.js';
import type { StatusByCode } from './error-mapping.js';
import { limitBodyTime } from './late-body.js';
import { SECURITY_HEADERS } from './security-headers.js';
import { serializePlainly, validateWithZod, type ZodTypeProvider } from './validation.js';

const DEFAULT_HEADERS_TIMEOUT_MS = 10_000;
const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
const DEFAULT_KEEP_ALIVE_MS = 65_000;
const DEFAULT_MAX_HEADER_BYTES = 16 * 1024;
const DEFAULT_MAX_CONNECTIONS = 1_024;
const DEFAULT_STOP_MS = 5_000;

/** A group's name of 128 bytes, each percent-encoded, with room to spare; longer ones are answered 414. */
const MAX_PARAM_LENGTH = 1_024;

/** How often the connections that fell idle are closed while the server stops. */
const IDLE_SWEEP_MS = 50;

/** A Fastify instance whose routes take their types from zod schemas. */
export type HttpApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Routes that one folder makes and another mounts on its server. */
export type HttpPlugin = FastifyPluginAsync<FastifyPluginOptions, RawServerDefault, ZodTypeProvider, FastifyBaseLogger>;

export interface HttpServerOptions {
  readonly log: Logger;
  /** Bytes of a request body; a longer one is answered 413. */
  readonly maxBodyBytes: number;
  /** HTTP status per code of a TrunklineError that a route throws; `TRK_OVERLOADED` is 429, unlisted ones 500. */
  readonly statusByCode?: StatusByCode;
  /** For a request's headers to arrive. */
  readonly headersTimeoutMs?: number;
  /** For a request's body to arrive; a later one is answered 408. A route that streams its body keeps its own time. */
  readonly requestTimeoutMs?: number;
  /** How long an idle connection stays open. */
  readonly keepAliveMs?: number;
  /** Bytes of a request's headers together; more are answered 431. */
  readonly maxHeaderBytes?: number;
  /** Addresses and ranges of proxies whose X-Forwarded-For counts; from anybody else it is passed over. */
  readonly trustedProxies?: readonly string[];
  /** Connections at once; further ones are closed on accept. */
  readonly maxConnections?: number;
}

/** The address is in use or not ours. */
export class HttpListenError extends TrunklineError {
  readonly code = 'TRK_HTTP_LISTEN';
  constructor(
    readonly address: string,
    cause: unknown,
  ) {
    super(`cannot listen on ${address}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** @returns an instance that is not listening yet; register routes, then `startHttpServer` */
export function createHttpServer(options: HttpServerOptions): HttpApp {
  const { headersTimeoutMs = DEFAULT_HEADERS_TIMEOUT_MS, requestTimeoutMs = DEFAULT_REQUEST_TIMEOUT_MS } = options;
  const { trustedProxies = [] } = options;
  const sendError = createSendError(options.log, options.statusByCode);
  const app = fastify({
    bodyLimit: options.maxBodyBytes,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    // Kept per request: late-body.ts.
    requestTimeout: 0,
    keepAliveTimeout: options.keepAliveMs ?? DEFAULT_KEEP_ALIVE_MS,
    http: {
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      maxHeaderSize: options.maxHeaderBytes ?? DEFAULT_MAX_HEADER_BYTES,
      // Node looks for late requests this often.
      connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs),
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    forceCloseConnections: 'idle',
    // A request that was accepted is answered, also during a stop; the connection then closes.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => sendError(error, request, reply),
    clientErrorHandler: answerClientError,
  });
  app.server.maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  app.setValidatorCompiler(validateWithZod);
  app.setSerializerCompiler(serializePlainly);
  app.decorateRequest('subject', '');
  app.decorateRequest('key', '');
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    done();
  });
  limitBodyTime(app, requestTimeoutMs);
  takeJsonOnly(app);
  answerWithProblems(app, sendError);
  return app.withTypeProvider<ZodTypeProvider>();
}

/**
 * @param listener port 0 lets the kernel choose
 * @returns the address, `host:port`
 * @throws {HttpListenError}
 */
export async function startHttpServer(
  app: HttpApp,
  listener: { readonly host: string; readonly port: number },
): Promise<string> {
  const { host, port } = listener;
  // Before the listening, so that a plugin that fails to load is not taken for a busy port.
  await app.ready();
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw new HttpListenError(`${host}:${port}`, error);
  }
  const bound = app.server.address() as AddressInfo;
  return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
}

/**
 * Accepts nothing new, answers what is under way, closes connections as they fall idle.
 *
 * @param withinMs after this, what is still open is cut
 */
export async function stopHttpServer(app: HttpApp, withinMs: number = DEFAULT_STOP_MS): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), IDLE_SWEEP_MS);
  const cut = setTimeout(() => app.server.closeAllConnections(), withinMs);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}

/** JSON and nothing else; an empty body is no body, because many clients name the type whatever they send. */
function takeJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    if (body.length === 0) done(null, undefined);
    else parse(request, body, done);
  });
}
