/**
 * One access worker and the router it belongs to, put together from the real parts with the embedded engine, in
 * one thread and with a clock that tests move. Only the edges are played: the token verifier reads claims from
 * the token, links are `MemoryTransport`s, and messages between worker and router take a turn each.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import type { Business } from '../../actors/business.js';
import { ClientKinds } from '../../actors/client-kinds.js';
import { DownstreamScheduler } from '../../actors/downstream-scheduler.js';
import { GrantTable } from '../../actors/grants.js';
import { GroupDirectory } from '../../actors/group-directory.js';
import { LoadMeter } from '../../actors/load-meter.js';
import { indexOf, pushIdOf } from '../../actors/outbound-queue.js';
import type { BackEnd, DeviceClaims, LoginDoor } from '../../actors/ports.js';
import RouterActor from '../../actors/router-actor.js';
import { RouterLink } from '../../actors/router-link.js';
import { SessionTable } from '../../actors/session-table.js';
import { TicketDeadlines } from '../../actors/ticket-deadlines.js';
import { TimerWheel } from '../../actors/timer-wheel.js';
import type { SessionLimits, Worker } from '../../actors/worker.js';
import { WorkerCounters } from '../../actors/worker-counters.js';
import { createEmbeddedEngine } from '../../cluster/engines/embedded/index.js';
import { NO_PEERS } from './memory-bus.js';
import { TestMailbox } from './test-mailbox.js';

export const INCARNATION = '4f1c2ab09d3e5f60';
const TICK_MS = 250;

export interface TestWorkerOptions {
  readonly limits?: Partial<SessionLimits>;
  /** Beside `im` (1), `live` (2) and `quiet` (3), which has no back-end. */
  readonly businesses?: Readonly<Record<number, Partial<Business>>>;
  readonly backEnd?: BackEnd['request'];
  readonly adopt?: Worker['adopt'];
  readonly verify?: Worker['verifier']['verify'];
  readonly door?: LoginDoor;
  readonly overloadLevel?: Worker['overloadLevel'];
  /** Every origin of every app when absent. */
  readonly allowsOrigin?: Worker['allowsOrigin'];
  /** Reports are not measured when absent. */
  readonly measurements?: Worker['measurements'];
}

export interface TestNode {
  readonly worker: Worker;
  readonly router: RouterActor;
  readonly mailbox: TestMailbox;
  readonly engine: ReturnType<typeof createEmbeddedEngine>;
  /** Actors made and not yet released. */
  readonly actors: { connections: number; groups: number };
  /** Moves the clock and turns the wheel. */
  advance(ms: number): void;
}

export const DEFAULT_LIMITS: SessionLimits = {
  handshakeMs: 10_000,
  frameBytes: 65_536,
  inFlight: 4,
  requestsPerSecond: 100,
  groups: 3,
};

const HOUR_MS = 3_600_000;

export function createTestNode(options: TestWorkerOptions = {}): TestNode {
  let nowMs = 1_000_000;
  const now = () => nowMs;
  const actors = { connections: 0, groups: 0 };
  const count = (kind: 'connections' | 'groups', change: number) => {
    actors[kind] += change;
  };
  const engine = createEmbeddedEngine({ clockUs: () => nowMs * 1_000 });
  const router = new RouterActor({
    incarnation: INCARNATION,
    ...engine,
    peers: NO_PEERS,
    maxPending: 1_000,
    onError: fail,
    now,
    epochMs: now,
    onResult: () => {},
  });
  const link = new RouterLink(0, portTo(router), fail);
  const scheduler = new DownstreamScheduler(new LoadMeter(), now);
  const counters = new WorkerCounters();
  const businesses = createBusinesses(scheduler, options.businesses);
  const backEnd = { request: options.backEnd ?? (() => Promise.reject(new Error('no back-end'))) };
  const door = options.door ?? { isFull: () => false, enter: () => true, leave: () => {} };
  let serial = 1;
  const worker: Worker = {
    index: 0,
    incarnation: INCARNATION,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    heartbeat: { intervalMs: 60_000, minMs: 30_000, maxMs: 180_000, maxMissed: 2 },
    kinds: new ClientKinds(),
    isMeasuring: options.measurements !== undefined,
    measurements: options.measurements ?? { take: () => fail(new Error('nobody asked for measurements')) },
    businesses,
    grants: new GrantTable(businesses.values()),
    verifier: { verify: options.verify ?? ((token) => claimsOf(token, nowMs)) },
    router: link,
    groups: new GroupDirectory(
      link,
      { adopt: () => count('groups', 1), release: () => count('groups', -1) },
      counters,
      now,
    ),
    backEnds: new Map([1, 2].map((id) => [id, backEnd])),
    scheduler,
    deadlines: new TicketDeadlines(now),
    wheel: new TimerWheel(),
    counters,
    settle: (ticket, code) => link.outcome(pushIdOf(ticket), indexOf(ticket), code, 0),
    door,
    sessions: new SessionTable(door),
    isDraining: false,
    overloadLevel: () => options.overloadLevel?.() ?? 0,
    allowsOrigin: options.allowsOrigin ?? (() => true),
    nextSerial: () => serial++,
    adopt:
      options.adopt ??
      (() => {
        count('connections', 1);
        return Promise.resolve({ release: () => count('connections', -1) });
      }),
    now,
    epochMs: now,
  };
  const mailbox = new TestMailbox(worker);
  void router.open();
  router.attachWorker({ worker: 0, generation: 0, port: portTo(mailbox) });
  const advance = (ms: number) => {
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs = Math.min(nowMs + TICK_MS, endMs);
      worker.wheel.tick(nowMs);
    }
  };
  return { worker, router, mailbox, engine, actors, advance };
}

/** A token that `createTestNode` accepts; it is valid for an hour unless it says otherwise. */
export function tokenFor(deviceId: string, claims: Partial<DeviceClaims> = {}): string {
  return JSON.stringify({ deviceId, ...claims });
}

export function claimsOf(token: string, nowMs: number): DeviceClaims {
  if (!token.startsWith('{')) throw Object.assign(new Error('not a token'), { closeCode: 4100 });
  const claims: DeviceClaims = {
    app: 'demo',
    deviceId: '',
    businesses: ['im', 'live', 'quiet'],
    groups: {},
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + HOUR_MS,
    ...JSON.parse(token),
  };
  if (claims.expiresAtMs <= nowMs) throw Object.assign(new Error('expired'), { closeCode: 4101 });
  return claims;
}

function createBusinesses(scheduler: DownstreamScheduler, own: TestWorkerOptions['businesses']): Map<number, Business> {
  const names = ['im', 'live', 'quiet'];
  return new Map(
    names.map((name, i) => [
      i + 1,
      {
        id: i + 1,
        name,
        apps: new Set(['demo']),
        maxQueueBytes: 16 * 1024,
        slowConsumer: 'disconnect',
        createGroupOnJoin: false,
        openGroups: ['room-*', 'lobby'],
        lane: scheduler.addLane({ weight: 10, maxWindowMs: 0 }),
        ...own?.[i + 1],
      },
    ]),
  );
}

type Mailbox = Readonly<Record<string, ((message: object) => unknown) | undefined>>;

/** comedy's two ways to reach an actor in another thread: a turn later, and the answer a turn after that. */
function portTo(actor: object) {
  const call = async (topic: string, message: object): Promise<unknown> => {
    await immediate();
    const handler = (actor as Mailbox)[topic];
    if (handler === undefined) throw new Error(`no handler for ${topic}`);
    const answer = await handler.call(actor, message);
    await immediate();
    return answer;
  };
  return { send: call, sendAndReceive: call };
}

function fail(error: unknown): never {
  throw error;
}
