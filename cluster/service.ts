/**
 * A service is a main-thread actor of a node that is not the node's own business: the HTTP bridge, the control
 * layer. `cluster/` starts and stops it without knowing what it serves, so that the arrows keep pointing down.
 */
import type { Logger } from 'winston';
import type { RoutingService } from '../actors/index.js';
import type { CurrentConfig, NodeConfig } from '../config/index.js';
import type { AccessProtocol } from '../transports/index.js';
import type { DrainRequest, DrainStarted } from './drain-request.js';
import type { NodeLease } from './engines/contract/index.js';
import type { ClusterStatus } from './membership/index.js';
import type { NodeStatus } from './status.js';

/** `host:port` per access protocol; absent when it is switched off. */
export type AccessAddresses = Readonly<Partial<Record<AccessProtocol, string>>>;

/** The node as its services see it. */
export interface NodeView {
  /** False while starting, draining, or when an access worker is down. */
  isReady(): boolean;
  /** Why not ready, empty when ready. */
  notReadyReason(): string;
  /** As clients should dial them. */
  accessPoints(): AccessAddresses;
  /** Prometheus text of this node, all threads. */
  metrics(): Promise<string>;
  /** This node at a glance, access workers asked. */
  status(): Promise<NodeStatus>;
  /** Every node of the service that is not gone, this one included; a suspect one has no time left. */
  nodes(): readonly NodeLease[];
  /** The service as this node sees it. */
  cluster(): ClusterStatus;
  /**
   * Begins to drain: clients are sent to other nodes, then the node stops and its process ends.
   *
   * @throws {NoSuchTargetError} nothing has begun; {NodeNotRunningError} the node starts or stops
   */
  drain(request: DrainRequest): DrainStarted;
}

export interface ServiceContext {
  /** In force now: read it when it is needed, since a reload puts another in its place. */
  readonly config: NodeConfig;
  /** For what is made from the configuration: `current.derive`. */
  readonly current: CurrentConfig;
  readonly log: Logger;
  readonly routing: RoutingService;
  readonly node: NodeView;
}

/** An actor class whose public methods are its mailbox; it finds `{ context, options }` in its custom parameters. */
export interface ServiceActor {
  initialize(self: ActorSelf): void;
  /** Listens. @returns the address, `host:port` */
  start(): Promise<string>;
  /** Answers what is under way, then stops listening. What takes longer than `withinMs` is cut; the node names it. */
  stop(message?: { readonly withinMs?: number }): Promise<void>;
}

/** The piece of comedy's actor reference that a service needs. */
export interface ActorSelf {
  getCustomParameters(): { context: ServiceContext; options: unknown };
}

export interface ServiceDefinition {
  /** Name in the actor tree, such as `BridgeActor`. */
  readonly name: string;
  readonly actor: new () => ServiceActor;
  /** Handed to the actor as it is. */
  readonly options?: unknown;
}
