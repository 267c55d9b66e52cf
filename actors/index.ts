export type { ActorRef, ParentRef } from './actor-ref.js';
export type { Business } from './business.js';
export { default as ConnectionActor } from './connection-actor.js';
export { firstSerial } from './connection-id.js';
export { decodeDeliveries, type MulticastItem, OutcomeCode, type PushItem } from './delivery-batch.js';
export { DownstreamScheduler } from './downstream-scheduler.js';
export type {
  ClaimedRoute,
  GroupRecord,
  GroupStore,
  NewRoute,
  Route,
  RouteStore,
} from './engine-ports.js';
export { GroupNotFoundError, OverloadedError } from './errors.js';
export { GrantTable } from './grants.js';
export type { Group } from './group.js';
export { default as GroupActor } from './group-actor.js';
export { type GroupActors, GroupDirectory } from './group-directory.js';
export { Handshake } from './handshake.js';
export { default as ListenerActor } from './listener-actor.js';
export { LoadMeter } from './load-meter.js';
export { indexOf, NO_TICKET, pushIdOf, type SettleTicket, ticketOf } from './outbound-queue.js';
export type { BackEnd, DeviceClaims, DeviceKey, TokenVerifier, UpstreamCall, UpstreamReply } from './ports.js';
export { default as RouterActor, type RouterOptions } from './router-actor.js';
export { type GroupStream, type ParentPort, type RouteRelease, RouterLink, type RouterMailbox } from './router-link.js';
export type {
  DeliveryResult,
  GroupInfo,
  MembershipResult,
  MulticastResult,
  Presence,
  PushMessage,
  RoutingService,
} from './routing-service.js';
export type { Session } from './session.js';
export { type Adopted, ShardPool } from './shard-pool.js';
export { TicketDeadlines } from './ticket-deadlines.js';
export { TimerWheel } from './timer-wheel.js';
export { default as UpstreamActor } from './upstream-actor.js';
export type { SessionLimits, Worker } from './worker.js';
export { WorkerCounters } from './worker-counters.js';
export type { WorkerPort } from './worker-outbox.js';
