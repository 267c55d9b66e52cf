/**
 * Pushes by the thousand over one request: NDJSON in, NDJSON out, a result a line and in order. The request is read as
 * it comes and answered while it comes, so its length is not limited, nor is its time.
 */
import type { ServiceContext } from '../../cluster/index.js';
import { type HttpApp, ProblemError } from '../../http/index.js';
import { LineReader } from '../bulk/bulk-line.js';
import { BulkStream } from '../bulk/bulk-stream.js';
import { BulkIdempotencyError, NotReadyError } from '../errors.js';
import type { RateLimits } from '../rate-limit.js';
import { bulkLine, bulkResult } from '../schemas.js';
import { BUSINESS_KEY, invalid, limited, type RouteParts, unauthenticated, wrongMediaType } from './families.js';

export const NDJSON_MEDIA_TYPE = 'application/x-ndjson';

export interface BulkOptions {
  readonly maxLineBytes: number;
  readonly limits: RateLimits;
  readonly log: ServiceContext['log'];
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  readonly idleMs?: number | undefined;
}

export function bulkRoutes(app: HttpApp, parts: RouteParts, options: BulkOptions): void {
  const { routing, callers, messages, answers } = parts;
  const { maxLineBytes, limits, log, now, idleMs } = options;
  const streams = new Set<BulkStream>();
  const onFault = (error: unknown): ProblemError => {
    log.error('request failed', {
      route: '/v1/push/bulk',
      error: error instanceof Error ? error.stack : String(error),
    });
    return new ProblemError(500, 'TRK_INTERNAL', 'the line failed inside the node; its log says why');
  };
  app.addHook('preClose', (done) => {
    for (const stream of streams) stream.stop(new NotReadyError('the node stops'));
    done();
  });
  // The route reads it itself, as it comes.
  app.addContentTypeParser(NDJSON_MEDIA_TYPE, (_request, _payload, done) => done(null));

  app.route({
    method: 'POST',
    url: '/v1/push/bulk',
    config: { streamsBody: true },
    validatorCompiler: () => () => true,
    schema: {
      operationId: 'pushBulk',
      summary: 'Push many messages, one a line',
      description:
        'NDJSON both ways. Each line is one push and gets one line of answer, in the order of the request and while the ' +
        'request is still coming: read while you write, since whoever does not is slowed down until both sides wait. A ' +
        'bad line is an error of that line alone.',
      tags: ['push'],
      security: BUSINESS_KEY,
      body: { content: { [NDJSON_MEDIA_TYPE]: { schema: bulkLine } } },
      response: {
        200: { description: 'One line a line', content: { [NDJSON_MEDIA_TYPE]: { schema: bulkResult } } },
        ...invalid,
        ...unauthenticated,
        ...limited,
        ...wrongMediaType,
      },
    },
    handler: async (request, reply) => {
      if (request.headers['idempotency-key'] !== undefined) throw new BulkIdempotencyError();
      const { subject, key } = request;
      reply.hijack();
      const head = { ...(reply.getHeaders() as Record<string, string>), 'content-type': NDJSON_MEDIA_TYPE };
      reply.raw.writeHead(200, head);
      reply.raw.flushHeaders();
      const stream = new BulkStream({
        request: request.raw,
        response: reply.raw,
        reader: new LineReader({ callers, messages, subject, maxLineBytes }),
        maxLineBytes,
        batch: { routing, answers, subject, onFault, now },
        limits,
        key,
        idleMs,
      });
      streams.add(stream);
      await stream.run();
      streams.delete(stream);
    },
  });
}
