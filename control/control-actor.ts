/**
 * The control layer as a service of the node: an actor that owns the public HTTP listener.
 *
 * comedy makes it without arguments and calls any method by its name, so the public methods are the mailbox and
 * everything arrives in `initialize`.
 */
import type { ActorSelf, ServiceActor } from '../cluster/index.js';
import { createHttpServer, type HttpApp, startHttpServer, stopHttpServer } from '../http/index.js';
import type { ControlOptions } from './options.js';
import { registerPublicRoutes } from './public-routes.js';

/** Strangers write here: a bootstrap with an assertion takes a few KiB. */
const MAX_BODY_BYTES = 16 * 1024;

export default class ControlActor implements ServiceActor {
  #parameters: ReturnType<ActorSelf['getCustomParameters']> | undefined;
  #app: HttpApp | undefined;

  initialize(self: ActorSelf): void {
    this.#parameters = self.getCustomParameters();
  }

  async start(): Promise<string> {
    if (this.#parameters === undefined) throw new TypeError('ControlActor: start before initialize');
    const { context, options } = this.#parameters;
    const app = createHttpServer({
      log: context.log,
      maxBodyBytes: MAX_BODY_BYTES,
      trustedProxies: context.config.public.trustedProxies,
    });
    this.#app = app;
    registerPublicRoutes(app, context, options as ControlOptions);
    return startHttpServer(app, context.config.public);
  }

  async stop({ withinMs }: { readonly withinMs?: number } = {}): Promise<void> {
    const app = this.#app;
    this.#app = undefined;
    if (app !== undefined) await stopHttpServer(app, withinMs);
  }
}
