/**
 * The root of a node's tree, in the main thread: starts everything in order, keeps the access workers running,
 * and stops everything in order. Messages that access workers send to their parent are the router's, so they
 * are handed on to it by topic.
 */
import { availableParallelism } from 'node:os';
import { type ActorRef, type ParentRef, RouterActor, type RouterMailbox } from '../actors/index.js';
import type { NodeConfig } from '../config/index.js';
import type { PublicJwks } from '../tokens/index.js';
import { actorPath } from './actor-system.js';
import ClusterActor from './cluster-actor.js';
import { connectionLimit } from './connection-limit.js';
import { drainConnections } from './drain.js';
import type { Engine } from './engines/contract/index.js';
import { canReusePort, resolveListeners } from './listen-addresses.js';
import type { Logger } from './logger.js';
import { NodeMetrics } from './node-metrics.js';
import { createRoutingClient } from './routing-client.js';
import type { NodeView, ServiceDefinition } from './service.js';
import { within } from './within.js';
import type { ListenAt, WorkerSettings } from './worker-settings.js';
import { WorkerSupervisor } from './worker-supervisor.js';

export interface NodeActorOptions {
  readonly config: NodeConfig;
  readonly log: Logger;
  readonly jwks: PublicJwks;
  readonly services: readonly ServiceDefinition[];
  readonly engine: Engine;
  readonly incarnation: string;
}

export interface NodeAddresses {
  /** `host:port` each; absent when the protocol is switched off. */
  readonly tcp?: string;
  readonly ws?: string;
  /** By the service's name. */
  readonly services: Readonly<Record<string, string>>;
}

/** comedy's reference to this actor. */
interface NodeSelf extends ParentRef {
  forwardToChild(child: ActorRef, ...topics: string[]): Promise<unknown>;
}

const ROUTER_TOPICS: readonly (keyof RouterMailbox)[] = [
  'claimRoutes',
  'releaseRoutes',
  'listenToGroup',
  'groupSizes',
  'outcomes',
];

/** Of the drain time: when the services cut what they still answer, and when nobody waits for a part that hangs. */
const SERVICES_SHARE = 0.85;
const END_SHARE = 0.95;
const MIN_STEP_MS = 200;

type NodeState = 'starting' | 'running' | 'stopping' | 'stopped';

export default class NodeActor implements NodeView {
  readonly #options: NodeActorOptions;
  readonly #metrics = new NodeMetrics();
  readonly #supervisors: WorkerSupervisor[] = [];
  readonly #services: { name: string; ref: ActorRef }[] = [];
  #self: NodeSelf | undefined;
  #router: ActorRef | undefined;
  #cluster: ActorRef | undefined;
  #listeners: readonly ListenAt[] = [];
  #state: NodeState = 'starting';
  #stopping: Promise<void> | undefined;

  constructor(options: NodeActorOptions) {
    this.#options = options;
  }

  initialize(self: NodeSelf): void {
    this.#self = self;
  }

  /** @throws {AddressUnavailableError} a port is taken; whatever a service throws when it starts */
  async start(): Promise<NodeAddresses> {
    const self = this.#self;
    if (self === undefined) throw new Error('start before initialize');
    const { config, engine, incarnation, log } = this.#options;
    this.#listeners = await resolveListeners(config);
    const node = { name: config.node.name, incarnation, startedAtMs: Date.now() };
    this.#cluster = await createChild(self, 'ClusterActor', new ClusterActor(engine.membership, node));
    this.#router = await createChild(self, 'RouterActor', this.#createRouter());
    await self.forwardToChild(this.#router, ...ROUTER_TOPICS);
    await this.#startWorkers(self, this.#router);
    this.#state = 'running';
    const services = await this.#startServices(self, this.#router);
    await this.#cluster.sendAndReceive('announce');
    log.info('node started', { incarnation, workers: this.#supervisors.length });
    return { ...this.accessPoints(), services };
  }

  /** Drains and ends everything below. Twice is once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  isReady(): boolean {
    return this.notReadyReason() === '';
  }

  notReadyReason(): string {
    if (this.#state !== 'running') return `node is ${this.#state}`;
    const down = this.#supervisors.filter((supervisor) => !supervisor.isUp).length;
    return down === 0 ? '' : `${down} of ${this.#supervisors.length} access workers are down`;
  }

  accessPoints(): { tcp?: string; ws?: string } {
    const { access } = this.#options.config;
    const addresses = this.#listeners.map(({ protocol, host, port }) => [
      protocol,
      access[protocol]?.advertise ?? formatAddress(host, port),
    ]);
    return Object.fromEntries(addresses);
  }

  metrics(): Promise<string> {
    return this.#metrics.text(this.#workersUp());
  }

  #createRouter(): RouterActor {
    const { config, engine, incarnation, log } = this.#options;
    return new RouterActor({
      incarnation,
      routes: engine.routes,
      groups: engine.groups,
      maxPending: config.limits.pendingPushes,
      onError: (error) => log.warn('message to an access worker failed', { error: String(error) }),
      onResult: (result) => this.#metrics.pushed(result),
      now: () => performance.now(),
    });
  }

  async #startWorkers(self: NodeSelf, router: ActorRef): Promise<void> {
    const { config, incarnation, jwks, log } = this.#options;
    const wanted = config.node.workers === 0 ? availableParallelism() : config.node.workers;
    const reusePort = await canReusePort(this.#listeners[0]?.host ?? '127.0.0.1');
    if (!reusePort) log.warn('ports cannot be shared on this platform: one access worker only');
    const workers = reusePort ? wanted : 1;
    const connections = connectionLimit(config);
    if (connections < config.limits.connections) log.info('open files limit the connections', { connections });
    const maxConnections = Math.ceil(connections / workers);
    const listeners = this.#listeners;
    for (let index = 0; index < workers; index++) {
      const settings = { index, workers, maxConnections, incarnation, config, jwks, listeners, reusePort };
      this.#supervisors.push(this.#createSupervisor(self, router, settings));
    }
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.start()));
  }

  #createSupervisor(self: NodeSelf, router: ActorRef, settings: Omit<WorkerSettings, 'generation'>): WorkerSupervisor {
    const { log } = this.#options;
    const worker = settings.index;
    return new WorkerSupervisor({
      index: worker,
      parent: self,
      modulePath: actorPath(import.meta.url, './access-worker-actor.js'),
      log,
      onUp: async (ref, generation) => {
        await router.sendAndReceive('attachWorker', { worker, port: ref });
        await ref.sendAndReceive('start', { ...settings, generation } satisfies WorkerSettings);
      },
      onDown: async () => {
        const routes = await router.sendAndReceive('workerGone', { worker });
        log.warn('routes of a crashed access worker withdrawn', { worker, routes });
      },
      onGiveUp: () => log.error('node goes on with fewer access workers', { worker }),
    });
  }

  async #startServices(self: NodeSelf, router: ActorRef): Promise<Record<string, string>> {
    const { config, log, services } = this.#options;
    const context = { config, log, routing: createRoutingClient(router), node: this as NodeView };
    const addresses: Record<string, string> = {};
    for (const { name, actor, options } of services) {
      const customParameters = { context, options };
      const ref = await self.createChild(actor, { mode: 'in-memory', name, customParameters });
      this.#services.push({ name, ref });
      addresses[name] = (await ref.sendAndReceive('start')) as string;
    }
    return addresses;
  }

  /** Every step has its end, so that the whole ends within the drain time; none keeps the next one from its turn. */
  async #stop(): Promise<void> {
    const { config, engine, log } = this.#options;
    const { drainMs } = config.node;
    const startedMs = performance.now();
    const left = (share: number): number => Math.max(startedMs + drainMs * share - performance.now(), MIN_STEP_MS);
    const step = async (part: string, stopping: Promise<unknown> | undefined): Promise<void> => {
      const stopped = Promise.resolve(stopping).then(() => true);
      try {
        if ((await within(left(END_SHARE), stopped)) !== true) log.warn('a part of the node did not stop', { part });
      } catch (error) {
        log.warn('a part of the node failed to stop', { part, error: String(error) });
      }
    };
    this.#state = 'stopping';
    await step('ClusterActor', this.#cluster?.sendAndReceive('withdraw'));
    await drainConnections({ workers: this.#workersUp(), drainMs, log });
    const withinMs = left(SERVICES_SHARE);
    await Promise.all(this.#services.map(({ name, ref }) => step(name, ref.sendAndReceive('stop', { withinMs }))));
    await step('access workers', Promise.all(this.#supervisors.map((supervisor) => supervisor.stop())));
    await step('engine', engine.close());
    this.#metrics.stop();
    this.#state = 'stopped';
    log.info('node stopped');
  }

  #workersUp(): ActorRef[] {
    return this.#supervisors.map((supervisor) => supervisor.ref).filter((ref) => ref !== undefined);
  }
}

function createChild(self: NodeSelf, name: string, actor: object): Promise<ActorRef> {
  return self.createChild(actor, { mode: 'in-memory', name });
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
