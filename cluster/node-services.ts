/** The services of a node: each an actor under the root, started in order and stopped together. */
import type { ActorRef } from '../actors/index.js';
import type { CurrentConfig } from '../config/index.js';
import type { Logger } from './logger.js';
import { createRoutingClient } from './routing-client.js';
import type { NodeView, ServiceContext, ServiceDefinition } from './service.js';

/** comedy's reference to the root actor, as far as services need it. */
interface ServiceParent {
  createChild(definition: object | string, config: object): Promise<ActorRef>;
}

export class NodeServices {
  readonly #services: { name: string; ref: ActorRef }[] = [];

  /** @returns addresses by the service's name; @throws whatever a service throws when it starts */
  async start(
    parent: ServiceParent,
    definitions: readonly ServiceDefinition[],
    context: ServiceContext,
  ): Promise<Record<string, string>> {
    const addresses: Record<string, string> = {};
    for (const { name, actor, options } of definitions) {
      const customParameters = { context, options };
      const ref = await parent.createChild(actor, { mode: 'in-memory', name, customParameters });
      this.#services.push({ name, ref });
      addresses[name] = (await ref.sendAndReceive('start')) as string;
    }
    return addresses;
  }

  /** @returns one promise a service, each with its name */
  stop(withinMs: number): { name: string; stopped: Promise<unknown> }[] {
    return this.#services.map(({ name, ref }) => ({ name, stopped: ref.sendAndReceive('stop', { withinMs }) }));
  }
}

export function createServiceContext(parts: {
  readonly current: CurrentConfig;
  readonly log: Logger;
  readonly router: ActorRef;
  readonly node: NodeView;
}): ServiceContext {
  const { current, log, router, node } = parts;
  return {
    get config() {
      return current.value;
    },
    current,
    log,
    routing: createRoutingClient(router),
    node,
  };
}
