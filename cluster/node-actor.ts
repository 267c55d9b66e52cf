/**
 * The root of a node's tree, in the main thread: starts everything in order, keeps the access workers running,
 * and stops everything in order. Messages that access workers send to their parent are the router's, so they
 * are handed on to it by topic.
 */
import type { ActorRef, ParentRef } from '../actors/index.js';
import type { CurrentConfig, NodeConfig } from '../config/index.js';
import { AccessWorkers } from './access-workers.js';
import ClusterActor from './cluster-actor.js';
import { ConfigDistribution } from './config-distribution.js';
import type { Credentials } from './credentials.js';
import type { DrainRequest, DrainStarted } from './drain-request.js';
import type { Engine, NodeLease } from './engines/contract/index.js';
import { EventsActor } from './events/index.js';
import { resolveListeners } from './listen-addresses.js';
import type { Logger } from './logger.js';
import { ClusterMetrics, type ClusterStatus, MeasuredBus } from './membership/index.js';
import { advertisedAddresses, listeningAddresses } from './node-addresses.js';
import { NodeDrain } from './node-drain.js';
import { NodeMetrics } from './node-metrics.js';
import { recordOf } from './node-record.js';
import { createNodeRouter, ROUTER_TOPICS } from './node-router.js';
import { createServiceContext, NodeServices } from './node-services.js';
import { type PolicyKeeper, PolicyMetrics } from './policy-keeper.js';
import { NodeNotRunningError, type ReloadResult } from './reload.js';
import type { AccessAddresses, NodeView, ServiceDefinition } from './service.js';
import { collectStatus, type NodeState, type NodeStatus } from './status.js';
import { StopSteps } from './stop-steps.js';
import { within } from './within.js';
import type { ListenAt } from './worker-settings.js';

export interface NodeActorOptions {
  readonly current: CurrentConfig;
  /** Of `current`, at any time. */
  readonly config: NodeConfig;
  readonly log: Logger;
  readonly credentials: Credentials;
  readonly policies: PolicyKeeper;
  readonly services: readonly ServiceDefinition[];
  readonly engine: Engine;
  readonly incarnation: string;
  /** An operator has asked for a drain: stop the node. */
  readonly onDrain: () => void;
}

export interface NodeAddresses extends AccessAddresses {
  /** By the service's name. */
  readonly services: Readonly<Record<string, string>>;
}

/** comedy's reference to this actor. */
interface NodeSelf extends ParentRef {
  forwardToChild(child: ActorRef, ...topics: string[]): Promise<unknown>;
}

/** Of the drain time: when the services cut what they still answer. */
const SERVICES_SHARE = 0.85;
/** For the others to learn that this node drains; an engine that is away is not waited for. */
const ANNOUNCE_MS = 1_000;

export default class NodeActor implements NodeView {
  readonly #options: NodeActorOptions;
  readonly #metrics = new NodeMetrics();
  readonly #clusterMetrics: ClusterMetrics;
  readonly #policyMetrics: PolicyMetrics;
  readonly #services = new NodeServices();
  readonly #cluster: ClusterActor;
  readonly #bus: MeasuredBus;
  readonly #events: EventsActor;
  readonly #distribution: ConfigDistribution;
  readonly #startedAtMs = Date.now();
  #self: NodeSelf | undefined;
  #router: ActorRef | undefined;
  #workers: AccessWorkers | undefined;
  #listeners: readonly ListenAt[] = [];
  #state: NodeState = 'starting';
  #stopping: Promise<void> | undefined;
  readonly #drain: NodeDrain;

  constructor(options: NodeActorOptions) {
    const { config, current, credentials, engine, incarnation, log, policies } = options;
    this.#options = options;
    this.#distribution = new ConfigDistribution(current, log);
    this.#bus = new MeasuredBus(engine.bus);
    this.#events = new EventsActor({
      config: current.value,
      onSettled: (settled) => this.#metrics.eventSettled(settled),
    });
    this.#drain = new NodeDrain({
      incarnation,
      config: () => current.value,
      leases: () => this.nodes(),
      workers: () => this.#refs(),
      log,
    });
    this.#cluster = new ClusterActor({
      membership: engine.membership,
      engine: config.engine.type,
      leaseMs: config.cluster.leaseMs,
      incarnation,
      record: () => this.#record(),
      log,
      now: () => performance.now(),
      askRouter: async (topic, message) => this.#router?.sendAndReceive(topic, message),
      sendAway: () => this.#drain.sendAway(),
      readmit: () => this.#drain.readmit(),
    });
    this.#clusterMetrics = new ClusterMetrics({
      status: () => this.cluster(),
      counts: () => this.#cluster.counts,
      bus: () => this.#bus.counts,
    });
    this.#policyMetrics = new PolicyMetrics(() => policies.figures());
    this.#metrics.watch({
      eventsPending: () => this.#events.pending(),
      revocations: () => credentials.revocations,
    });
  }

  initialize(self: NodeSelf): void {
    this.#self = self;
  }

  /**
   * @throws {AddressUnavailableError} a port is taken
   * @throws {InvalidCertificateError} a TLS listener has none that can be used; {SecretExposedError} everybody may read its key
   * @throws {NodeNameTakenError} another node has this one's name; {EngineUnavailableError}
   * @throws whatever a service throws when it starts
   */
  async start(): Promise<NodeAddresses> {
    const self = this.#self;
    if (self === undefined) throw new Error('start before initialize');
    const { config, credentials, current, engine, incarnation, log, policies, services } = this.#options;
    this.#listeners = config.node.roles.includes('access') ? await resolveListeners(config) : [];
    await createChild(self, 'ClusterActor', this.#cluster);
    await createChild(self, 'EventsActor', this.#events);
    const router = await createChild(
      self,
      'RouterActor',
      createNodeRouter({
        ...{ current, engine, incarnation, log },
        bus: this.#bus,
        peers: this.#cluster.peers,
        onResult: (result) => this.#metrics.pushed(result),
        onRoute: (event) => this.#events.route(event),
      }),
    );
    this.#router = router;
    await self.forwardToChild(router, ...ROUTER_TOPICS);
    await router.sendAndReceive('open', {});
    // Before anybody can log in: what a login claims is fenced by this lease.
    await this.#cluster.join();
    const store = engine.credentials;
    await credentials.share({ store, node: config.node.name, incarnation, nodes: () => this.nodes() });
    this.#workers = this.#createWorkers(self, router);
    await this.#workers.start(this.#listeners);
    credentials.start();
    await policies.open(engine.controlState);
    const addresses = await this.#services.start(
      self,
      services,
      createServiceContext({ current, log, router, node: this }),
    );
    this.#state = 'running';
    await this.#cluster.announce();
    log.info('node started', { incarnation, workers: this.#workers.supervisors.length, roles: config.node.roles });
    return { ...this.accessPoints(), services: addresses };
  }

  /** Drains and ends everything below. Twice is once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** @see NodeView.drain */
  drain(request: DrainRequest): DrainStarted {
    if (this.#state !== 'running') throw new NodeNotRunningError(this.#state);
    const started = this.#drain.ask(request, this.#workers?.connections ?? 0);
    // The caller's answer goes first.
    setImmediate(this.#options.onDrain);
    return started;
  }

  isReady(): boolean {
    return this.notReadyReason() === '';
  }

  notReadyReason(): string {
    if (this.#state !== 'running') return `node is ${this.#state}`;
    return this.#cluster.notReadyReason() || (this.#workers?.notReadyReason() ?? '');
  }

  accessPoints(): AccessAddresses {
    return advertisedAddresses(this.#listeners, this.#options.config.access);
  }

  nodes(): readonly NodeLease[] {
    return this.#cluster.leases();
  }

  cluster(): ClusterStatus {
    return this.#cluster.status();
  }

  status(): Promise<NodeStatus> {
    const { current, incarnation } = this.#options;
    const { state, reason } = this.#cluster.status().own;
    return collectStatus({
      current,
      incarnation,
      startedAtMs: this.#startedAtMs,
      state: this.#state,
      reason: this.notReadyReason(),
      membership: { state, reason },
      supervisors: this.#workers?.supervisors ?? [],
      overload: this.#workers?.overload ?? { level: 0, reason: '' },
      mainEventLoopDelayMs: this.#metrics.eventLoopDelayMs(),
      listeners: { ...listeningAddresses(this.#listeners) },
      accessPoints: { ...this.accessPoints() },
    });
  }

  /** @see NodeHandle.reload */
  reload(config: NodeConfig): Promise<ReloadResult> {
    return this.#distribution.reload(config, {
      ready: () => {
        if (this.#state !== 'running') throw new NodeNotRunningError(this.#state);
      },
      workers: () => this.#refs(),
      takeOver: () => this.#takeOver(config),
    });
  }

  async metrics(): Promise<string> {
    const overload = this.#workers?.overload.level ?? 0;
    return this.#metrics.text(this.#refs(), overload, [
      await this.#clusterMetrics.json(),
      await this.#policyMetrics.json(),
    ]);
  }

  #createWorkers(parent: NodeSelf, router: ActorRef): AccessWorkers {
    const { config, credentials, incarnation, log } = this.#options;
    const distribution = this.#distribution;
    return new AccessWorkers({
      ...{ parent, router, incarnation, config, distribution, credentials, log },
      onRun: (worker, generation) => this.#cluster.workerUp(worker, generation),
      onEnd: (worker) => this.#cluster.workerDown(worker),
      onChange: () => {
        if (this.#state === 'running') void this.#cluster.announce();
      },
    });
  }

  #record(): ReturnType<typeof recordOf> {
    const { config, incarnation } = this.#options;
    return recordOf({
      config,
      incarnation,
      startedAtMs: this.#startedAtMs,
      state: this.#state,
      accessPoints: this.accessPoints(),
      workers: this.#workers,
    });
  }

  async #takeOver(config: NodeConfig): Promise<void> {
    const { log } = this.#options;
    if (log.level !== config.node.logLevel) log.level = config.node.logLevel;
    this.#events.reconfigure({ config });
    await this.#workers?.reconfigure(config);
    // Access points may be others.
    void this.#cluster.announce();
  }

  async #stop(): Promise<void> {
    const { config, credentials, engine, incarnation, log, policies } = this.#options;
    const stop = new StopSteps(config.node.drainMs + this.#drain.moreMs, log);
    const wasRunning = this.#state === 'running';
    this.#state = 'stopping';
    // First of all, so that nobody is sent here any more.
    if (wasRunning) await within(ANNOUNCE_MS, this.#cluster.announce());
    await this.#drain.leave();
    const withinMs = stop.left(SERVICES_SHARE);
    await Promise.all([
      stop.step('EventsActor', this.#events.stop({ withinMs })),
      ...this.#services.stop(withinMs).map(({ name, stopped }) => stop.step(name, stopped)),
    ]);
    await stop.step('credentials', credentials.stop());
    policies.close();
    await stop.step('access workers', this.#workers?.stop());
    if ((this.#workers?.connections ?? 0) > 0) {
      // Of a thread that was ended before its connections were.
      const belowFence = Number.POSITIVE_INFINITY;
      await stop.step('RouterActor', this.#router?.sendAndReceive('sweep', { incarnation, belowFence }));
    }
    await stop.step('ClusterActor', this.#cluster.withdraw());
    await stop.step('engine', engine.close());
    this.#metrics.stop();
    this.#workers?.release();
    this.#state = 'stopped';
    log.info('node stopped');
  }

  #refs(): ActorRef[] {
    return this.#workers?.refs ?? [];
  }
}

const createChild = (self: NodeSelf, name: string, actor: object) =>
  self.createChild(actor, { mode: 'in-memory', name });
