/**
 * The router's port as the bridge gets it from the node. Taken from the service contract, because the bridge knows the
 * cluster and not the actors below it.
 */
import type { ServiceContext } from '../cluster/index.js';

export type RoutingService = ServiceContext['routing'];
export type PushMessage = Parameters<RoutingService['push']>[1];
export type Push = Parameters<RoutingService['pushMany']>[0][number];
export type DeliveryResult = Awaited<ReturnType<RoutingService['push']>>[number];
export type MembershipResult = Awaited<ReturnType<RoutingService['joinGroup']>>[number];
export type UserPresence = Awaited<ReturnType<RoutingService['presenceOfUsers']>>[number];
export type Presence = Awaited<ReturnType<RoutingService['presence']>>[number];
