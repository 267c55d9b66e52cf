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

const METRICS_MEDIA_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function operationRoutes(app: HttpApp, node: NodeView): void {
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

  let document: string | undefined;
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
      document ??= JSON.stringify(app.swagger());
      return reply.header('content-type', 'application/json').send(document as never);
    },
  });
}
