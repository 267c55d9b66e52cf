/**
 * The public listener's routes: keys, health, and the bootstrap with its CORS.
 *
 * CORS is ours in thirty lines: which origins count depends on the app in the body, which a preflight does not have.
 * So a preflight, and a request not read yet, passes when any app lists its origin; the app itself is asked once
 * it is known. Without an `Origin` header the caller is no browser and the rule does not apply.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type HttpApp, problemResponses } from '../http/index.js';
import { AppDirectory, type AppEntry } from './app-directory.js';
import { type BootstrapContext, bootstrap } from './bootstrap.js';
import { BootstrapLimits } from './bootstrap-limits.js';
import { Chooser } from './choice.js';
import { OriginNotAllowedError, UnknownAppError } from './errors.js';
import type { ControlOptions } from './options.js';
import { bootstrapAnswer, bootstrapRequest } from './schemas.js';

const BOOTSTRAP_PATH = '/v1/bootstrap';
const JWKS_MAX_AGE_S = 300;
const PREFLIGHT_MAX_AGE_S = 600;
const ALLOW_ORIGIN = 'access-control-allow-origin';

export function registerPublicRoutes(app: HttpApp, context: BootstrapContext, options: ControlOptions): void {
  const directory = context.current.derive((config) => new AppDirectory(config));
  const { keys } = options.credentials;
  const limits = new BootstrapLimits();
  const chooser = new Chooser(context, options.policies);

  app.get('/healthz', async () => ({ status: 'ok' }));

  app.get('/.well-known/jwks.json', async (_request, reply) =>
    reply
      .header('cache-control', `public, max-age=${JWKS_MAX_AGE_S}`)
      .type('application/jwk-set+json')
      .send(JSON.stringify(keys.publicJwks())),
  );

  const onRequest = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) =>
    done(checkOrigin(request, reply, directory()));

  app.options(BOOTSTRAP_PATH, { onRequest }, async (_request, reply) =>
    reply
      .header('access-control-allow-methods', 'POST')
      .header('access-control-allow-headers', 'content-type')
      .header('access-control-max-age', PREFLIGHT_MAX_AGE_S)
      .code(204)
      .send(),
  );

  app.post(
    BOOTSTRAP_PATH,
    {
      onRequest,
      schema: {
        summary: 'Token, access points and settings for a device that starts',
        body: bootstrapRequest,
        response: {
          200: bootstrapAnswer,
          ...problemResponses({
            400: 'The body is not in its form',
            403: 'The device is not proven or was revoked, the assertion is not valid, or the origin is not allowed',
            404: 'No such app',
            429: 'Too many bootstraps from this address, failed ones above all',
            503: 'No node takes devices now, or none in a protocol that the client speaks',
          }),
        },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const entry = directory().find(request.body.app);
      if (entry === undefined) throw new UnknownAppError();
      recheckOrigin(request, reply, entry);
      return limits.guard(entry, request.ip, () =>
        bootstrap({ app: entry, address: request.ip }, request.body, context, chooser, options),
      );
    },
  );
}

/** @returns why not, as Fastify's hooks want it */
function checkOrigin(request: FastifyRequest, reply: FastifyReply, directory: AppDirectory): Error | undefined {
  const { origin } = request.headers;
  reply.header('vary', 'Origin');
  if (origin === undefined) return undefined;
  if (!directory.someAppAllowsOrigin(origin)) return new OriginNotAllowedError();
  // A page may read the refusals too, and how long to wait.
  reply.header(ALLOW_ORIGIN, origin).header('access-control-expose-headers', 'retry-after');
  return undefined;
}

function recheckOrigin(request: FastifyRequest, reply: FastifyReply, app: AppEntry): void {
  const { origin } = request.headers;
  if (origin === undefined || app.allowsOrigin(origin)) return;
  reply.removeHeader(ALLOW_ORIGIN);
  throw new OriginNotAllowedError();
}
