/** Puts together what the sessions of one access worker share, from the node's configuration. */
import {
  type BackEnd,
  ClientKinds,
  DownstreamScheduler,
  firstSerial,
  GrantTable,
  type GroupActors,
  GroupDirectory,
  indexOf,
  type LoadMeter,
  type LoginDoor,
  NO_TICKET,
  pushIdOf,
  type RouterLink,
  SessionTable,
  type SettleTicket,
  TicketDeadlines,
  TimerWheel,
  type Worker,
  WorkerCounters,
} from '../actors/index.js';
import type { OverloadWatch } from './overload-watch.js';
import { type ConfigurableWorker, createBusinesses, sharedSettings } from './worker-config.js';
import type { WorkerSettings } from './worker-settings.js';
import type { WorkerTokens } from './worker-tokens.js';

export interface WorkerParts {
  readonly router: RouterLink;
  readonly load: LoadMeter;
  readonly groupActors: GroupActors;
  readonly backEnds: ReadonlyMap<number, Pick<BackEnd, 'request'>>;
  readonly adopt: Worker['adopt'];
  readonly overload: OverloadWatch;
  readonly door: LoginDoor;
  readonly tokens: WorkerTokens;
  readonly allowsOrigin: Worker['allowsOrigin'];
  readonly measurements: Worker['measurements'];
}

export function createWorker(settings: WorkerSettings, parts: WorkerParts): ConfigurableWorker {
  const { config, index, incarnation } = settings;
  const now = () => performance.now();
  const counters = new WorkerCounters();
  const scheduler = new DownstreamScheduler(parts.load, now);
  const businesses = createBusinesses(config, scheduler);
  let serial = firstSerial(settings.generation);
  return {
    index,
    incarnation,
    ...sharedSettings(config),
    kinds: new ClientKinds(),
    measurements: parts.measurements,
    businesses,
    grants: new GrantTable(businesses.values()),
    verifier: parts.tokens.verifier,
    router: parts.router,
    groups: new GroupDirectory(parts.router, parts.groupActors, counters, now),
    backEnds: parts.backEnds,
    scheduler,
    deadlines: new TicketDeadlines(now),
    wheel: new TimerWheel(),
    counters,
    settle: createSettle(parts.router, counters),
    door: parts.door,
    sessions: new SessionTable(parts.door),
    isDraining: false,
    overloadLevel: () => parts.overload.level,
    allowsOrigin: parts.allowsOrigin,
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
