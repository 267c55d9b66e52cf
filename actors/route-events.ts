/** What happens to the routes of devices, told in the order in which it happened to each device. */
import { CloseCode } from '../protocol/index.js';
import { formatConnectionId } from './connection-id.js';
import type { Route } from './engine-ports.js';
import type { DeviceKey } from './ports.js';

export interface RouteEvent extends DeviceKey {
  readonly type: 'connected' | 'disconnected';
  readonly uid?: string | undefined;
  readonly connectionId: string;
  /** Grows with each connection of a device. */
  readonly fence: number;
  /** Ids of businesses that the connection is granted. */
  readonly businesses: readonly number[];
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  /** Of a disconnect: why, as a close code; 0 when the connection went without one. */
  readonly code?: number | undefined;
}

export function connectedEvent({ app, deviceId }: DeviceKey, route: Route, atMs: number): RouteEvent {
  const { connection, fence, grants: businesses, uid } = route;
  return {
    type: 'connected',
    app,
    deviceId,
    uid,
    connectionId: formatConnectionId(connection),
    fence,
    businesses,
    atMs,
  };
}

export function disconnectedEvent(device: DeviceKey, route: Route, code: number, atMs: number): RouteEvent {
  return { ...connectedEvent(device, route, atMs), type: 'disconnected', code };
}

/** The connection lives on without these businesses: kicked by one of them, or left out by a newer token. */
export function withdrawnEvent(device: DeviceKey, route: Route, atMs: number): RouteEvent {
  return disconnectedEvent(device, route, CloseCode.kicked, atMs);
}

/** A newer login took the device's place. */
export function replacedEvent(device: DeviceKey, route: Route, atMs: number): RouteEvent {
  return disconnectedEvent(device, route, CloseCode.replaced, atMs);
}
