/**
 * One access worker: the actor at the root of a thread. It builds what its sessions share, hangs listeners,
 * back-ends and shards under itself, and turns the router's messages into calls on sessions and groups.
 *
 * `initialize` does nothing but remember, because a thread that fails before comedy has its answer hangs the
 * node; `start` does the work.
 */
import {
  type ActorRef,
  ConnectionActor,
  createGatherWindow,
  deliverBatch,
  type GroupStream,
  Handshake,
  ListenerActor,
  LoadMeter,
  type MembershipResult,
  type ParentPort,
  type ParentRef,
  type Restated,
  RouterLink,
  restateRoutes,
  ShardPool,
} from '../actors/index.js';
import { CurrentConfig, type NodeConfig } from '../config/index.js';
import { CloseCode, HEADER_BYTES, MAX_HANDSHAKE_FRAME_BYTES } from '../protocol/index.js';
import type { PublicJwks, RevocationChange } from '../tokens/index.js';
import {
  type AccessProtocol,
  type ListenerOptions,
  SECURE_PROTOCOLS,
  type SecureMaterial,
  type SecureProtocol,
  type Transport,
} from '../transports/index.js';
import { WorkerAdmission } from './admission.js';
import type { SecureMaterials } from './certificates.js';
import { createListener, type QuicSettings } from './create-listener.js';
import { createWorker } from './create-worker.js';
import { createGroupActors } from './group-actors.js';
import { createLogger, type Logger } from './logger.js';
import { createOriginLists, type OriginLists } from './origin-lists.js';
import { rowOfWorker } from './overload-board.js';
import { OverloadWatch } from './overload-watch.js';
import type { WorkerFigures } from './status.js';
import { WorkerBackEnds } from './worker-back-ends.js';
import { type ConfigurableWorker, takeConfig } from './worker-config.js';
import { type DrainMessage, WorkerDrain } from './worker-drain.js';
import { WorkerMetrics } from './worker-metrics.js';
import type { ListenAt, WorkerSettings } from './worker-settings.js';
import { WorkerTokens } from './worker-tokens.js';

const MIB = 1024 * 1024;

/** comedy's reference to this actor, inside its thread. */
interface WorkerSelf extends ParentRef {
  getParent(): ParentPort;
}

interface MembershipChange {
  readonly businessId: number;
  readonly group: string;
  readonly stream: GroupStream;
  readonly serials: readonly number[];
}

export default class AccessWorkerActor {
  #self: WorkerSelf | undefined;
  #worker: ConfigurableWorker | undefined;
  #config: CurrentConfig | undefined;
  #origins: (() => OriginLists) | undefined;
  #backEnds: WorkerBackEnds | undefined;
  #log: Logger | undefined;
  #metrics: WorkerMetrics | undefined;
  #tokens: WorkerTokens | undefined;
  #overload: OverloadWatch | undefined;
  #admission: WorkerAdmission | undefined;
  #secure: SecureMaterials = {};
  #workers = 1;
  readonly #drain = new WorkerDrain();
  readonly #listeners = new Map<AccessProtocol, ActorRef>();

  initialize(self: WorkerSelf): void {
    this.#self = self;
  }

  /** @throws the system's error when a port cannot be listened on */
  async start(settings: WorkerSettings): Promise<void> {
    const self = this.#self;
    if (self === undefined) throw new Error('start before initialize');
    const { config, index } = settings;
    this.#workers = settings.workers;
    const log = createLogger({ level: config.node.logLevel, name: config.node.name });
    this.#log = log;
    // Before anything is waited for: keys and revocations may change while this worker starts.
    const tokens = new WorkerTokens(settings);
    this.#tokens = tokens;
    this.#secure = settings.secure;
    this.#config = new CurrentConfig(config);
    const origins = this.#config.derive(createOriginLists);
    this.#origins = origins;
    const onError = (error: unknown) => log.error('actor message failed', { worker: index, error: String(error) });
    const metrics = new WorkerMetrics(index);
    this.#metrics = metrics;
    this.#backEnds = new WorkerBackEnds({
      parent: self,
      workers: settings.workers,
      onOutcome: (business, outcome) => metrics.upstreamOutcome(business, outcome),
      onError,
    });
    await this.#backEnds.configure(config);
    this.#overload = new OverloadWatch(settings.overload, rowOfWorker(index), config.overload);
    this.#admission = new WorkerAdmission(settings.admission, index);
    const load = new LoadMeter();
    const connections = new ShardPool(self, 'ConnectionShardActor', onError);
    const worker = createWorker(settings, {
      load,
      router: new RouterLink(
        index,
        self.getParent(),
        onError,
        createGatherWindow(load, () => performance.now()),
      ),
      groupActors: createGroupActors(new ShardPool(self, 'GroupShardActor', onError), onError),
      backEnds: this.#backEnds.byBusiness,
      adopt: (session) => connections.adopt(new ConnectionActor(session)),
      overload: this.#overload,
      door: this.#admission,
      tokens,
      allowsOrigin: (app, origin) => origins().isListedBy(app, origin),
      measurements: metrics.clients,
    });
    this.#worker = worker;
    this.#metrics.watch(worker);
    worker.wheel.start(worker.now);
    this.#overload.start();
    for (const at of settings.listeners) await this.#listen(self, worker, at, settings);
  }

  /** Pushes and multicasts of one turn, packed. */
  deliver({ batch }: { batch: Uint8Array }): void {
    deliverBatch(this.#running(), batch);
  }

  closeConnections({ connections }: { connections: { serial: number; code: number; reason: string }[] }): void {
    for (const { serial, code, reason } of connections) this.#running().sessions.get(serial)?.close(code, reason);
  }

  revokeGrant({ serial, businessId }: { serial: number; businessId: number }): void {
    const { sessions, businesses } = this.#running();
    const business = businesses.get(businessId);
    if (business !== undefined) sessions.get(serial)?.revoke(business);
  }

  joinMembers({ businessId, group, stream, serials }: MembershipChange): { results: MembershipResult[] } {
    const worker = this.#running();
    const business = worker.businesses.get(businessId);
    const results = serials.map((serial): MembershipResult => {
      const session = worker.sessions.get(serial);
      if (business === undefined || session?.state !== 'online') return 'offline';
      return session.memberships.joinAt(business, group, stream);
    });
    // The router listens on this worker's behalf already; nobody joined, so it need not.
    if (worker.groups.find(businessId, group) === undefined) worker.router.groupSize({ businessId, group, members: 0 });
    return { results };
  }

  removeMembers({ businessId, group, serials }: MembershipChange): { results: MembershipResult[] } {
    const { sessions } = this.#running();
    const results = serials.map((serial): MembershipResult => {
      const session = sessions.get(serial);
      if (session === undefined) return 'offline';
      return session.memberships.remove(businessId, group) ? 'left' : 'not-member';
    });
    return { results };
  }

  dissolveGroup({ businessId, group }: { businessId: number; group: string }): void {
    this.#running().groups.dissolve(businessId, group);
  }

  /** The engine has forgotten: tells it anew which routes are held here, paced. */
  restateRoutes(): Promise<Restated> {
    return restateRoutes(this.#running());
  }

  async stopAccepting(): Promise<void> {
    this.#running().isDraining = true;
    await Promise.all([...this.#listeners.values()].map((listener) => listener.sendAndReceive('stop')));
  }

  /** Nobody logs in, while listeners stay open: who comes is sent on. */
  closeDoor(): void {
    this.#running().isDraining = true;
  }

  openDoor(): void {
    this.#running().isDraining = false;
  }

  /** Asks every client to go and come back elsewhere. */
  drain(message: DrainMessage): void {
    this.#drain.start(this.#running(), this.#workers, message);
  }

  /** @returns connections left, and how many of them still wait for something */
  drainStatus(): { connections: number; busy: number } {
    const { sessions } = this.#running();
    let busy = 0;
    for (const session of sessions.values()) if (!session.isIdle) busy += 1;
    return { connections: sessions.size, busy };
  }

  closeAll(): void {
    this.#drain.stop();
    for (const session of [...this.#running().sessions.values()]) session.close(CloseCode.goingAway, 'node stops');
  }

  /** Another configuration takes over, for the connections that are here as well. */
  async reconfigure({ config }: { config: NodeConfig }): Promise<void> {
    const worker = this.#running();
    // First the back-ends, so that a new business can be asked from its first moment.
    await this.#backEnds?.configure(config);
    this.#config?.replace(config);
    takeConfig(worker, config);
    this.#overload?.reconfigure(config.overload);
    if (this.#log !== undefined) this.#log.level = config.node.logLevel;
  }

  /** Other keys verify from now on. */
  useKeys({ jwks }: { jwks: PublicJwks }): void {
    this.#tokens?.useKeys(jwks);
  }

  /** Takes tokens back, those of live connections as well. */
  revoke({ rules }: { rules: RevocationChange[] }): { closed: number } {
    return this.#tokens?.revoke(rules, this.#worker?.sessions.values() ?? []) ?? { closed: 0 };
  }

  /** A certificate or the keys of session tickets were renewed. */
  async renewSecure({ protocol, material }: { protocol: SecureProtocol; material: SecureMaterial }): Promise<void> {
    // One that is just made looks here when it listens.
    this.#secure = { ...this.#secure, [protocol]: material };
    await this.#listeners.get(protocol)?.sendAndReceive('renew', { material });
  }

  /** For the operator. */
  figures(): WorkerFigures {
    const { sessions, groups } = this.#running();
    const eventLoopDelayMs = this.#metrics?.eventLoopDelayMs() ?? 0;
    return { connections: sessions.size, groups: groups.size, eventLoopDelayMs };
  }

  /** prom-client's JSON of this thread's metrics. */
  async metricsJson(): Promise<{ metrics: object[] }> {
    return { metrics: (await this.#metrics?.json()) ?? [] };
  }

  destroy(): void {
    this.#drain.stop();
    this.#worker?.wheel.stop();
    this.#overload?.stop();
    this.#worker?.scheduler.stop();
  }

  async #listen(self: WorkerSelf, worker: ConfigurableWorker, at: ListenAt, settings: WorkerSettings): Promise<void> {
    const { reusePort, admission, index } = settings;
    const { protocol, host, port } = at;
    const secure = this.#materialOf(protocol);
    const options: ListenerOptions = {
      host,
      port,
      reusePort,
      gate: this.#admission ?? new WorkerAdmission(admission, index),
      counter: worker.counters,
      proxyFrom: protocol === 'quic' ? undefined : settings.config.access[protocol]?.proxyProtocol?.from,
      secure,
      // A reload may change it.
      get handshakeMs() {
        return worker.limits.handshakeMs;
      },
      maxHandshakeBytes: MAX_HANDSHAKE_FRAME_BYTES + HEADER_BYTES,
      isOriginAllowed: (origin) => this.#origins?.().isListed(origin) === true,
      onConnection: (transport: Transport, origin?: string) => {
        new Handshake(transport, worker, origin);
      },
    };
    const listener = createListener(at, options, quicSettings(settings));
    const name = `ListenerActor-${at.protocol}`;
    const actor = await self.createChild(new ListenerActor(listener), { mode: 'in-memory', name });
    await actor.sendAndReceive('start');
    this.#listeners.set(protocol, actor);
    const renewed = this.#materialOf(protocol);
    if (renewed !== undefined && renewed !== secure) listener.renew(renewed);
    this.#log?.debug('access worker listening', { worker: index, ...at });
  }

  #materialOf(protocol: AccessProtocol): SecureMaterial | undefined {
    return isSecure(protocol) ? this.#secure[protocol] : undefined;
  }

  #running(): ConfigurableWorker {
    if (this.#worker === undefined) throw new Error('message before start');
    return this.#worker;
  }
}

function isSecure(protocol: AccessProtocol): protocol is SecureProtocol {
  return (SECURE_PROTOCOLS as readonly AccessProtocol[]).includes(protocol);
}

function quicSettings({ config, index, workers, quicWorkers }: WorkerSettings): QuicSettings | undefined {
  const { quic } = config.access;
  if (quic === null) return undefined;
  const { idleMs, memoryMiB } = quic;
  return { worker: index - (workers - quicWorkers), workers: quicWorkers, idleMs, memoryBytes: memoryMiB * MIB };
}
