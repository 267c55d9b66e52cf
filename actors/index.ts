export type { ActorRef, ParentRef } from './actor-ref.js';
export type { Business } from './business.js';
export { type ClientKind, ClientKinds } from './client-kinds.js';
export { default as ConnectionActor } from './connection-actor.js';
export { type ConnectionId, firstSerial, formatConnectionId, generationOf } from './connection-id.js';
export { deliverBatch } from './deliver.js';
export { DownstreamScheduler } from './downstream-scheduler.js';
export type {
  Bus,
  BusHandlers,
  BusMulticast,
  ClaimedRoute,
  DeviceRoute,
  GroupNames,
  GroupRecord,
  GroupStore,
  NewRoute,
  Peers,
  PublishedMulticast,
  RestoredRoute,
  Route,
  RoutePage,
  RouteStore,
  Standing,
} from './engine-ports.js';
export { EngineUnavailableError, GroupNotFoundError, OverloadedError } from './errors.js';
export { createGatherWindow } from './gatherer.js';
export { GrantTable } from './grants.js';
export type { Group } from './group.js';
export { default as GroupActor } from './group-actor.js';
export { type GroupActors, GroupDirectory } from './group-directory.js';
export { Handshake } from './handshake.js';
export { default as ListenerActor } from './listener-actor.js';
export { LoadMeter } from './load-meter.js';
export { indexOf, NO_TICKET, pushIdOf, type SettleTicket } from './outbound-queue.js';
export { OutcomeCode } from './outcome-batch.js';
export type {
  BackEnd,
  DeviceClaims,
  DeviceKey,
  LoginDoor,
  MeasurementSink,
  TokenVerifier,
  UpstreamCall,
  UpstreamReply,
} from './ports.js';
export { type Restated, restateRoutes } from './restate.js';
export type { RouteEvent } from './route-events.js';
export { default as RouterActor } from './router-actor.js';
export {
  type EngineAway,
  type FencedDevice,
  type GroupSize,
  type GroupStream,
  type ParentPort,
  type RouteClaim,
  type RouteRelease,
  type RouteRestore,
  RouterLink,
  type RouterMailbox,
} from './router-link.js';
export type { RouterFigures, RouterOptions } from './router-options.js';
export type {
  BroadcastResult,
  DeliveryResult,
  DeviceCall,
  DeviceInfo,
  DevicePage,
  DeviceReply,
  GroupInfo,
  GroupPage,
  MembershipResult,
  MulticastResult,
  PageRequest,
  Presence,
  Push,
  PushMessage,
  RoutingService,
  UserDelivery,
  UserPresence,
} from './routing-service.js';
export type { Session } from './session.js';
export { SessionTable } from './session-table.js';
export { type Adopted, ShardPool } from './shard-pool.js';
export { TicketDeadlines } from './ticket-deadlines.js';
export { TimerWheel } from './timer-wheel.js';
export { default as UpstreamActor } from './upstream-actor.js';
export type { OverloadLevel, SessionLimits, Worker } from './worker.js';
export { WorkerCounters } from './worker-counters.js';
export type { WorkerPort } from './worker-outbox.js';
