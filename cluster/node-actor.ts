/**
 * The root of a node's tree, in the main thread: starts everything in order, keeps the access workers running,
 * and stops everything in order. Messages that access workers send to their parent are the router's, so they
 * are handed on to it by topic.
 */
import { availableParallelism } from 'node:os';
import {
  type ActorRef,
  createGatherWindow,
  LoadMeter,
  type ParentRef,
  RouterActor,
  type RouterMailbox,
} from '../actors/index.js';
import type { CurrentConfig, NodeConfig } from '../config/index.js';
import { actorPath } from './actor-system.js';
import { type AdmissionLimits, NodeAdmission } from './admission.js';
import { Certificates } from './certificates.js';
import ClusterActor from './cluster-actor.js';
import { ConfigDistribution } from './config-distribution.js';
import { connectionLimit } from './connection-limit.js';
import type { Credentials } from './credentials.js';
import { drainConnections } from './drain.js';
import type { Engine } from './engines/contract/index.js';
import { EventsActor } from './events/index.js';
import { canReusePort, resolveListeners } from './listen-addresses.js';
import type { Logger } from './logger.js';
import { NodeMetrics } from './node-metrics.js';
import { NodeOverload } from './overload.js';
import { NodeNotRunningError, type ReloadResult } from './reload.js';
import { createRoutingClient } from './routing-client.js';
import type { AccessAddresses, NodeView, ServiceContext, ServiceDefinition } from './service.js';
import { collectStatus, type NodeState, type NodeStatus } from './status.js';
import { within } from './within.js';
import type { ListenAt, WorkerSettings } from './worker-settings.js';
import { WorkerSupervisor } from './worker-supervisor.js';

export interface NodeActorOptions {
  readonly current: CurrentConfig;
  /** Of `current`, at any time. */
  readonly config: NodeConfig;
  readonly log: Logger;
  readonly credentials: Credentials;
  readonly services: readonly ServiceDefinition[];
  readonly engine: Engine;
  readonly incarnation: string;
}

export interface NodeAddresses extends AccessAddresses {
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
  'callReplies',
];

/** Of the drain time: when the services cut what they still answer, and when nobody waits for a part that hangs. */
const SERVICES_SHARE = 0.85;
const END_SHARE = 0.95;
const MIN_STEP_MS = 200;

/** What a worker is told at each of its starts is added then. */
type UnstartedSettings = Omit<WorkerSettings, 'generation' | 'jwks' | 'revocations' | 'secure'>;

export default class NodeActor implements NodeView {
  readonly #options: NodeActorOptions;
  readonly #metrics = new NodeMetrics();
  readonly #supervisors: WorkerSupervisor[] = [];
  readonly #services: { name: string; ref: ActorRef }[] = [];
  #self: NodeSelf | undefined;
  #router: ActorRef | undefined;
  #cluster: ActorRef | undefined;
  readonly #events: EventsActor;
  #listeners: readonly ListenAt[] = [];
  readonly #startedAtMs = Date.now();
  #state: NodeState = 'starting';
  #overload: NodeOverload | undefined;
  #admission: NodeAdmission | undefined;
  #certificates: Certificates | undefined;
  #stopping: Promise<void> | undefined;
  readonly #distribution: ConfigDistribution;

  constructor(options: NodeActorOptions) {
    this.#options = options;
    this.#distribution = new ConfigDistribution(options.current, options.log);
    this.#events = new EventsActor({
      config: options.current.value,
      onSettled: (settled) => this.#metrics.eventSettled(settled),
    });
    this.#metrics.watch({
      eventsPending: () => this.#events.pending(),
      revocations: () => options.credentials.revocations,
    });
  }

  initialize(self: NodeSelf): void {
    this.#self = self;
  }

  /**
   * @throws {AddressUnavailableError} a port is taken
   * @throws {InvalidCertificateError} a TLS listener has none that can be used; {SecretExposedError} everybody may read its key
   * @throws whatever a service throws when it starts
   */
  async start(): Promise<NodeAddresses> {
    const self = this.#self;
    if (self === undefined) throw new Error('start before initialize');
    const { config, engine, incarnation, log } = this.#options;
    this.#listeners = await resolveListeners(config);
    const node = { name: config.node.name, incarnation, startedAtMs: Date.now() };
    this.#cluster = await createChild(self, 'ClusterActor', new ClusterActor(engine.membership, node));
    await createChild(self, 'EventsActor', this.#events);
    this.#router = await createChild(self, 'RouterActor', this.#createRouter());
    await self.forwardToChild(this.#router, ...ROUTER_TOPICS);
    await this.#startWorkers(self, this.#router);
    this.#options.credentials.start();
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
    if (down > 0) return `${down} of ${this.#supervisors.length} access workers are down`;
    return this.#overload?.state().reason ?? '';
  }

  accessPoints(): AccessAddresses {
    const { access } = this.#options.config;
    const addresses = this.#listeners.map(({ protocol, host, port }) => [
      protocol,
      access[protocol]?.advertise ?? formatAddress(host, port),
    ]);
    return Object.fromEntries(addresses);
  }

  status(): Promise<NodeStatus> {
    const { current, incarnation } = this.#options;
    const listeners = this.#listeners.map(({ protocol, host, port }) => [protocol, formatAddress(host, port)]);
    return collectStatus({
      current,
      incarnation,
      startedAtMs: this.#startedAtMs,
      state: this.#state,
      reason: this.notReadyReason(),
      supervisors: this.#supervisors,
      overload: this.#overload?.state() ?? { level: 0, reason: '' },
      mainEventLoopDelayMs: this.#metrics.eventLoopDelayMs(),
      listeners: Object.fromEntries(listeners),
      accessPoints: { ...this.accessPoints() },
    });
  }

  /** @see NodeHandle.reload */
  reload(config: NodeConfig): Promise<ReloadResult> {
    return this.#distribution.reload(config, {
      ready: () => {
        if (this.#state !== 'running') throw new NodeNotRunningError(this.#state);
      },
      workers: () => this.#workersUp(),
      takeOver: () => this.#takeOver(config),
    });
  }

  metrics(): Promise<string> {
    return this.#metrics.text(this.#workersUp(), this.#overload?.state().level ?? 0);
  }

  #createRouter(): RouterActor {
    const { current, engine, incarnation, log } = this.#options;
    return new RouterActor({
      incarnation,
      routes: engine.routes,
      groups: engine.groups,
      get maxPending() {
        return current.value.limits.pendingPushes;
      },
      onError: (error) => log.warn('message to an access worker failed', { error: String(error) }),
      onResult: (result) => this.#metrics.pushed(result),
      onRoute: (event) => this.#events.route(event),
      gatherWindow: createGatherWindow(new LoadMeter(), () => performance.now()),
      now: () => performance.now(),
    });
  }

  async #startWorkers(self: NodeSelf, router: ActorRef): Promise<void> {
    const { config, incarnation, log } = this.#options;
    const wanted = config.node.workers === 0 ? availableParallelism() : config.node.workers;
    const reusePort = await canReusePort(this.#listeners[0]?.host ?? '127.0.0.1');
    if (!reusePort) log.warn('ports cannot be shared on this platform: one access worker only');
    const workers = reusePort ? wanted : 1;
    const connections = connectionLimit(config);
    if (connections < config.limits.connections) log.info('open files limit the connections', { connections });
    const listeners = this.#listeners;
    this.#admission = new NodeAdmission(workers, admissionLimits(config));
    const admission = this.#admission.shared;
    this.#overload = new NodeOverload(workers, config.overload, log);
    this.#overload.start();
    const overload = this.#overload.shared;
    const certificates = await Certificates.open({ access: config.access, log });
    this.#certificates = certificates;
    certificates.start();
    for (let index = 0; index < workers; index++) {
      const settings = { index, workers, incarnation, config, listeners, reusePort, overload, admission };
      this.#supervisors.push(this.#createSupervisor(self, router, certificates, settings));
    }
    await Promise.all(this.#supervisors.map((supervisor) => supervisor.start()));
  }

  #createSupervisor(
    self: NodeSelf,
    router: ActorRef,
    certificates: Certificates,
    settings: UnstartedSettings,
  ): WorkerSupervisor {
    const { credentials, log } = this.#options;
    const worker = settings.index;
    return new WorkerSupervisor({
      index: worker,
      parent: self,
      modulePath: actorPath(import.meta.url, './access-worker-actor.js'),
      log,
      onUp: async (ref, generation) => {
        await router.sendAndReceive('attachWorker', { worker, port: ref });
        const config = this.#distribution.forWorkers;
        const held = { ...credentials.attach(worker, ref), ...certificates.attach(worker, ref) };
        await ref.sendAndReceive('start', { ...settings, ...held, config, generation } satisfies WorkerSettings);
        await this.#distribution.catchUp(ref, config);
      },
      onDown: async () => {
        this.#overload?.workerGone(worker);
        this.#admission?.workerGone(worker);
        credentials.detach(worker);
        certificates.detach(worker);
        const routes = await router.sendAndReceive('workerGone', { worker });
        log.warn('routes of a crashed access worker withdrawn', { worker, routes });
      },
      onGiveUp: () => log.error('node goes on with fewer access workers', { worker }),
    });
  }

  async #takeOver(config: NodeConfig): Promise<void> {
    const { log } = this.#options;
    if (log.level !== config.node.logLevel) log.level = config.node.logLevel;
    this.#events.reconfigure({ config });
    this.#overload?.reconfigure(config.overload);
    this.#admission?.reconfigure(admissionLimits(config));
    await this.#certificates?.renew();
  }

  async #startServices(self: NodeSelf, router: ActorRef): Promise<Record<string, string>> {
    const { current, log, services } = this.#options;
    const context: ServiceContext = {
      get config() {
        return current.value;
      },
      current,
      log,
      routing: createRoutingClient(router),
      node: this,
    };
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
    const { config, credentials, engine, log } = this.#options;
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
    await Promise.all([
      step('EventsActor', this.#events.stop({ withinMs })),
      ...this.#services.map(({ name, ref }) => step(name, ref.sendAndReceive('stop', { withinMs }))),
    ]);
    credentials.stop();
    await step('access workers', Promise.all(this.#supervisors.map((supervisor) => supervisor.stop())));
    await step('engine', engine.close());
    this.#metrics.stop();
    this.#overload?.stop();
    this.#certificates?.stop();
    this.#state = 'stopped';
    log.info('node stopped');
  }

  #workersUp(): ActorRef[] {
    return this.#supervisors.map((supervisor) => supervisor.ref).filter((ref) => ref !== undefined);
  }
}

function admissionLimits(config: NodeConfig): AdmissionLimits {
  const { connectionsPerIp, acceptsPerSecond } = config.limits;
  return { connections: connectionLimit(config), connectionsPerIp, acceptsPerSecond };
}

function createChild(self: NodeSelf, name: string, actor: object): Promise<ActorRef> {
  return self.createChild(actor, { mode: 'in-memory', name });
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
