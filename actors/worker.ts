/**
 * What the sessions of one access worker share. `cluster/` puts it together; nothing here is global, so a test
 * builds one of its own.
 */
import type { Business } from './business.js';
import type { ClientKinds } from './client-kinds.js';
import type { DownstreamScheduler } from './downstream-scheduler.js';
import type { GrantTable } from './grants.js';
import type { GroupDirectory } from './group-directory.js';
import type { HeartbeatOptions } from './heartbeat.js';
import type { SettleTicket } from './outbound-queue.js';
import type { BackEnd, LoginDoor, MeasurementSink, TokenVerifier } from './ports.js';
import type { RouterLink } from './router-link.js';
import type { Session } from './session.js';
import type { TicketDeadlines } from './ticket-deadlines.js';
import type { TimerWheel } from './timer-wheel.js';
import type { WorkerCounters } from './worker-counters.js';

export interface SessionLimits {
  readonly handshakeMs: number;
  readonly frameBytes: number;
  readonly inFlight: number;
  /** Of one connection, with a burst of twice as many. */
  readonly requestsPerSecond: number;
  readonly groups: number;
}

/** 0 calm; 1 no login succeeds; 2 pushes that may be dropped are dropped as well. */
export type OverloadLevel = 0 | 1 | 2;

export interface Worker {
  readonly index: number;
  readonly incarnation: string;
  readonly limits: SessionLimits;
  readonly heartbeat: HeartbeatOptions;
  readonly kinds: ClientKinds;
  /** Whether what clients measured is taken at all. */
  readonly isMeasuring: boolean;
  readonly measurements: MeasurementSink;
  readonly businesses: ReadonlyMap<number, Business>;
  readonly grants: GrantTable;
  readonly verifier: TokenVerifier;
  readonly door: LoginDoor;
  readonly router: RouterLink;
  readonly groups: GroupDirectory;
  /** By business id; a business without a back-end has none. */
  readonly backEnds: ReadonlyMap<number, Pick<BackEnd, 'request'>>;
  readonly scheduler: DownstreamScheduler;
  readonly deadlines: TicketDeadlines;
  readonly wheel: TimerWheel;
  readonly counters: WorkerCounters;
  readonly settle: SettleTicket;
  /** Online sessions by serial number. */
  readonly sessions: Map<number, Session>;
  /** The node stops: no login succeeds any more. */
  isDraining: boolean;
  /** How much this worker sheds now. */
  overloadLevel(): OverloadLevel;
  /** Whether a web page of this origin may log a device of `app` in. */
  allowsOrigin(app: string, origin: string): boolean;
  nextSerial(): number;
  /** Gives the session its actor, under a shard. */
  adopt(session: Session): Promise<SessionActorRef>;
  /** Milliseconds of a clock that does not jump. */
  now(): number;
  /** Milliseconds since the Unix epoch. */
  epochMs(): number;
}

/** The session's actor, as the session sees it. */
export interface SessionActorRef {
  /** The session is closed; its actor ends too. */
  release(): void;
}
