/** Puts together what the sessions of one access worker share, from the node's configuration. */
import {
  type BackEnd,
  type Business,
  DownstreamScheduler,
  firstSerial,
  GrantTable,
  type GroupActors,
  GroupDirectory,
  indexOf,
  LoadMeter,
  NO_TICKET,
  pushIdOf,
  type RouterLink,
  type Session,
  type SettleTicket,
  TicketDeadlines,
  TimerWheel,
  type Worker,
  WorkerCounters,
} from '../actors/index.js';
import type { NodeConfig } from '../config/index.js';
import { createTokenVerifier } from '../tokens/index.js';
import type { WorkerSettings } from './worker-settings.js';

/** The server waits a little longer than it announces, so that a punctual client is never asked. */
const HEARTBEAT_SLACK = 1.25;

export interface WorkerParts {
  readonly router: RouterLink;
  readonly groupActors: GroupActors;
  readonly backEnds: ReadonlyMap<number, Pick<BackEnd, 'request'>>;
  readonly adopt: Worker['adopt'];
}

export function createWorker(settings: WorkerSettings, parts: WorkerParts): Worker {
  const { config, index, incarnation, maxConnections } = settings;
  const now = () => performance.now();
  const counters = new WorkerCounters();
  const scheduler = new DownstreamScheduler(new LoadMeter(), now);
  const businesses = createBusinesses(config, scheduler);
  let serial = firstSerial(settings.generation);
  return {
    index,
    incarnation,
    limits: { ...config.limits, connections: maxConnections },
    heartbeatMs: config.heartbeat.intervalMs,
    heartbeat: {
      intervalMs: config.heartbeat.intervalMs * HEARTBEAT_SLACK,
      maxMissed: config.heartbeat.maxMissed,
    },
    businesses,
    grants: new GrantTable(businesses.values()),
    verifier: createTokenVerifier({ jwks: settings.jwks, apps: Object.keys(config.apps) }),
    router: parts.router,
    groups: new GroupDirectory(parts.router, parts.groupActors, counters),
    backEnds: parts.backEnds,
    scheduler,
    deadlines: new TicketDeadlines(now),
    wheel: new TimerWheel(),
    counters,
    settle: createSettle(parts.router, counters),
    sessions: new Map<number, Session>(),
    isDraining: false,
    nextSerial: () => serial++,
    adopt: parts.adopt,
    now,
    epochMs: Date.now,
  };
}

function createSettle(router: RouterLink, counters: WorkerCounters): SettleTicket {
  return (ticket, code) => {
    if (ticket === NO_TICKET) return;
    counters.pushes[code] = (counters.pushes[code] as number) + 1;
    router.outcome(pushIdOf(ticket), indexOf(ticket), code, 0);
  };
}

function createBusinesses(config: NodeConfig, scheduler: DownstreamScheduler): ReadonlyMap<number, Business> {
  const businesses = Object.entries(config.businesses).map(([name, { id, downstream, groups }]): [number, Business] => [
    id,
    {
      id,
      name,
      maxQueueBytes: downstream.maxQueueBytes,
      slowConsumer: downstream.slowConsumer,
      createGroupOnJoin: groups.createOnJoin,
      openGroups: groups.open,
      lane: scheduler.addLane(downstream),
    },
  ]);
  return new Map(businesses);
}
