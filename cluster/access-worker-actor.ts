/**
 * One access worker: the actor at the root of a thread. It builds what its sessions share, hangs listeners,
 * back-ends and shards under itself, and turns the router's messages into calls on sessions and groups.
 *
 * `initialize` does nothing but remember, because a thread that fails before comedy has its answer hangs the
 * node; `start` does the work.
 */
import {
  type ActorRef,
  type Adopted,
  ConnectionActor,
  decodeDeliveries,
  type Group,
  GroupActor,
  type GroupActors,
  type GroupStream,
  Handshake,
  ListenerActor,
  type MembershipResult,
  OutcomeCode,
  type ParentPort,
  type ParentRef,
  RouterLink,
  ShardPool,
  ticketOf,
  UpstreamActor,
  type UpstreamCall,
  type UpstreamReply,
  type Worker,
} from '../actors/index.js';
import type { NodeConfig } from '../config/index.js';
import { CloseCode, GoAwayReason, HEADER_BYTES, MAX_HANDSHAKE_FRAME_BYTES } from '../protocol/index.js';
import {
  type Listener,
  type ListenerOptions,
  TcpListener,
  type Transport,
  WebSocketListener,
} from '../transports/index.js';
import { createBackEndClient } from '../upstream/index.js';
import { createWorker } from './create-worker.js';
import { createLogger, type Logger } from './logger.js';
import { WorkerMetrics } from './worker-metrics.js';
import type { ListenAt, WorkerSettings } from './worker-settings.js';

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
  #worker: Worker | undefined;
  #metrics: WorkerMetrics | undefined;
  #listeners: ActorRef[] = [];

  initialize(self: WorkerSelf): void {
    this.#self = self;
  }

  /** @throws the system's error when a port cannot be listened on */
  async start(settings: WorkerSettings): Promise<void> {
    const self = this.#self;
    if (self === undefined) throw new Error('start before initialize');
    const { config, index } = settings;
    const log = createLogger({ level: config.node.logLevel, name: config.node.name });
    const onError = (error: unknown) => log.error('actor message failed', { worker: index, error: String(error) });
    this.#metrics = new WorkerMetrics(index);
    const connections = new ShardPool(self, 'ConnectionShardActor', onError);
    const worker = createWorker(settings, {
      router: new RouterLink(index, self.getParent(), onError),
      groupActors: createGroupActors(new ShardPool(self, 'GroupShardActor', onError), onError),
      backEnds: await createBackEnds(self, settings, this.#metrics),
      adopt: (session) => connections.adopt(new ConnectionActor(session)),
    });
    this.#worker = worker;
    this.#metrics.watch(worker);
    worker.wheel.start(worker.now);
    for (const at of settings.listeners) await this.#listen(self, at, settings, log);
  }

  /** Pushes and multicasts of one turn, packed. */
  deliver({ batch }: { batch: Uint8Array }): void {
    const worker = this.#running();
    for (const item of decodeDeliveries(batch)) {
      const { businessId, frame, pushId } = item;
      if (item.kind === 'multicast') {
        worker.groups.publish(businessId, item.group, frame, item.offset, pushId);
        continue;
      }
      for (let i = 0; i < item.serials.length; i++) {
        const ticket = ticketOf(pushId, item.indexes[i] as number);
        const session = worker.sessions.get(item.serials[i] as number);
        if (session === undefined) worker.settle(ticket, OutcomeCode.offline);
        else session.push(frame, businessId, ticket);
      }
    }
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

  async stopAccepting(): Promise<void> {
    this.#running().isDraining = true;
    await Promise.all(this.#listeners.map((listener) => listener.sendAndReceive('stop')));
  }

  /** Asks every client to come back at a random moment within the window. */
  drain({ windowMs }: { windowMs: number }): void {
    for (const session of this.#running().sessions.values()) session.drain(GoAwayReason.draining, windowMs);
  }

  /** @returns connections left, and how many of them still wait for something */
  drainStatus(): { connections: number; busy: number } {
    const { sessions } = this.#running();
    let busy = 0;
    for (const session of sessions.values()) if (!session.isIdle) busy += 1;
    return { connections: sessions.size, busy };
  }

  closeAll(): void {
    for (const session of [...this.#running().sessions.values()]) session.close(CloseCode.goingAway, 'node stops');
  }

  /** prom-client's JSON of this thread's metrics. */
  async metricsJson(): Promise<{ metrics: object[] }> {
    return { metrics: (await this.#metrics?.json()) ?? [] };
  }

  destroy(): void {
    this.#worker?.wheel.stop();
    this.#worker?.scheduler.stop();
  }

  async #listen(self: WorkerSelf, at: ListenAt, settings: WorkerSettings, log: Logger): Promise<void> {
    const listener = createListener(at, {
      host: at.host,
      port: at.port,
      reusePort: settings.reusePort,
      handshakeMs: settings.config.limits.handshakeMs,
      maxHandshakeBytes: MAX_HANDSHAKE_FRAME_BYTES + HEADER_BYTES,
      isOriginAllowed: createOriginCheck(settings.config),
      onConnection: (transport: Transport) => {
        new Handshake(transport, this.#running());
      },
    });
    const name = `ListenerActor-${at.protocol}`;
    const actor = await self.createChild(new ListenerActor(listener), { mode: 'in-memory', name });
    await actor.sendAndReceive('start');
    this.#listeners.push(actor);
    log.debug('access worker listening', { worker: settings.index, ...at });
  }

  #running(): Worker {
    if (this.#worker === undefined) throw new Error('message before start');
    return this.#worker;
  }
}

/** A browser's page may connect when any app lists its origin; other clients send none. */
function createOriginCheck({ apps }: NodeConfig): (origin: string) => boolean {
  const origins = new Set(Object.values(apps).flatMap((app) => app.origins));
  return (origin) => origins.has('*') || origins.has(origin);
}

function createListener({ protocol }: ListenAt, options: ListenerOptions): Listener {
  switch (protocol) {
    case 'tcp':
      return new TcpListener(options);
    case 'ws':
      return new WebSocketListener(options);
  }
}

async function createBackEnds(self: WorkerSelf, { config, workers }: WorkerSettings, metrics: WorkerMetrics) {
  const backEnds = new Map<number, { request(call: UpstreamCall): Promise<UpstreamReply> }>();
  for (const [name, { id, upstream }] of Object.entries(config.businesses)) {
    if (upstream === undefined) continue;
    const client = createBackEndClient({
      ...upstream,
      business: name,
      concurrency: Math.ceil(upstream.concurrency / workers),
      maxQueue: Math.ceil(upstream.maxQueue / workers),
      onOutcome: (outcome) => metrics.upstreamOutcome(name, outcome),
    });
    const actor = await self.createChild(new UpstreamActor(client), {
      mode: 'in-memory',
      name: `UpstreamActor-${name}`,
    });
    backEnds.set(id, { request: (call) => actor.sendAndReceive('request', call) as Promise<UpstreamReply> });
  }
  return backEnds;
}

/** A group may end before its actor has begun, so its place is kept as a promise. */
function createGroupActors(shards: ShardPool, onError: (error: unknown) => void): GroupActors {
  const places = new WeakMap<Group, Promise<Adopted>>();
  return {
    adopt: (group) => {
      const place = shards.adopt(new GroupActor(group));
      place.catch(onError);
      places.set(group, place);
    },
    release: (group) => {
      places.get(group)?.then((adopted) => adopted.release(), onError);
    },
  };
}
