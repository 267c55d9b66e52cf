/** Requests of back-ends to devices, on whichever node they are. */
import { encodeFrame, FrameType, Status } from '../protocol/index.js';
import type { RouteStore } from './engine-ports.js';
import { localReply, type PendingCalls } from './pending-calls.js';
import type { DeviceKey } from './ports.js';
import type { PushSender } from './push-sender.js';
import type { DeviceCall, DeviceReply } from './routing-service.js';

export interface DeviceCallsPorts {
  readonly routes: Pick<RouteStore, 'lookup'>;
  readonly sender: PushSender;
  readonly pending: PendingCalls;
}

/** @see RoutingService.call */
export async function callDevice(
  { pending, routes, sender }: DeviceCallsPorts,
  device: DeviceKey,
  { businessId, method, metadata, payload, deadlineMs, signal }: DeviceCall,
): Promise<DeviceReply> {
  const [route] = await routes.lookup([device]);
  const destination = sender.reach(route, businessId);
  if (route === undefined || destination === undefined) return localReply(Status.unavailable, 'offline');
  if (signal?.aborted === true) return localReply(Status.cancelled, 'the caller gave up');
  const { serial } = route.connection;
  const { callId, reply } = pending.begin({
    destination: destination.number,
    deadlineMs,
    signal,
    onGiveUp: (id) => destination.deliver({ kind: 'cancel', callId: id, serial }),
  });
  const type = FrameType.request;
  const frame = encodeFrame({ type, requestId: callId, businessId, method, metadata, deadlineMs, payload });
  destination.deliver({ kind: 'call', callId, businessId, serial, frame });
  return reply;
}
