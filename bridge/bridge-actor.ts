/**
 * The bridge as a service of the node. comedy makes it without arguments; what it needs stands in its custom
 * parameters, and its public methods are its mailbox.
 */
import type { ActorSelf, ServiceActor, ServiceContext } from '../cluster/index.js';
import { type HttpApp, startHttpServer, stopHttpServer } from '../http/index.js';
import { type BridgeOptions, createBridgeServer } from './server.js';

export default class BridgeActor implements ServiceActor {
  #context: ServiceContext | undefined;
  #options: BridgeOptions = {};
  #app: HttpApp | undefined;

  initialize(self: ActorSelf): void {
    const { context, options } = self.getCustomParameters();
    this.#context = context;
    this.#options = (options ?? {}) as BridgeOptions;
  }

  /**
   * Listens at `config.private`.
   *
   * @returns the address, `host:port`
   * @throws {HttpListenError} the address is taken
   * @throws {SharedKeyError} two businesses or two apps have a key in common
   */
  async start(): Promise<string> {
    if (this.#context === undefined) throw new Error('start before initialize');
    const { config, log } = this.#context;
    const app = await createBridgeServer(this.#context, this.#options);
    const address = await startHttpServer(app, config.private);
    this.#app = app;
    log.info('bridge listening', { address });
    return address;
  }

  /** Answers what is under way, then stops listening. Twice does nothing. */
  async stop({ withinMs }: { readonly withinMs?: number } = {}): Promise<void> {
    const app = this.#app;
    if (app === undefined) return;
    this.#app = undefined;
    await stopHttpServer(app, withinMs);
  }
}
