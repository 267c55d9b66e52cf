/**
 * What machines around the node ask for, without a key: alive, ready, figures, and the description of this API.
 */
import { z } from 'zod';
import type { NodeView } from '../../cluster/index.js';
import type { HttpApp } from '../../http/index.js';
import { NotReadyError } from '../errors.js';
import { NO_KEY, notReady } from './families.js';

const tags = ['operations'];
const security = NO_KEY;

const ADMIN_PREFIX = '/v1/admin/';
const METRICS_MEDIA_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** @param hasAdmin whether the admin API is there */
export function operationRoutes(app: HttpApp, node: NodeView, hasAdmin: () => boolean): void {
  app.route({
    method: 'GET',
    url: '/healthz',
    schema: {
      operationId: 'getHealth',
      summary: 'Whether the process answers',
      tags,
      security,
      response: { 200: z.object({ status: z.literal('ok') }).describe('It does') },
    },
    handler: async () => ({ status: 'ok' as const }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    schema: {
      operationId: 'getReadiness',
      summary: 'Whether the node takes connections and pushes',
      tags,
      security,
      response: { 200: z.object({ status: z.literal('ready') }).describe('It does'), ...notReady },
    },
    handler: async () => {
      if (!node.isReady()) throw new NotReadyError(node.notReadyReason());
      return { status: 'ready' as const };
    },
  });

  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      operationId: 'getMetrics',
      summary: 'Figures of this node for Prometheus',
      tags,
      security,
      response: { 200: { description: 'Prometheus text format', content: { 'text/plain': { schema: z.string() } } } },
    },
    handler: async (_request, reply) => {
      const text = await node.metrics();
      return reply.header('content-type', METRICS_MEDIA_TYPE).send(text);
    },
  });

  const whole = once(() => JSON.stringify(app.swagger()));
  const withoutAdmin = once(() => JSON.stringify(omitAdmin(app.swagger() as object)));
  app.route({
    method: 'GET',
    url: '/openapi.json',
    schema: {
      operationId: 'getOpenApi',
      summary: 'This description',
      tags,
      security,
      response: { 200: z.looseObject({ openapi: z.string() }).describe('OpenAPI 3.1') },
    },
    handler: async (_request, reply) => {
      const text = hasAdmin() ? whole() : withoutAdmin();
      return reply.header('content-type', 'application/json').send(text as never);
    },
  });
}

/** Made at its first use. */
function once(make: () => string): () => string {
  let made: string | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** A node without admin keys answers as if those paths did not exist, so they are not described either. */
function omitAdmin(document: { readonly paths?: object }): object {
  const paths = Object.entries(document.paths ?? {}).filter(([path]) => !path.startsWith(ADMIN_PREFIX));
  return { ...document, paths: Object.fromEntries(paths) };
}
