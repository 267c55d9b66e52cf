/**
 * A batch from the router, applied to the sessions and groups of one worker. What has expired on its way, and what
 * may be dropped while the node is overloaded, ends here.
 */
import { Status } from '../protocol/index.js';
import { decodeDeliveries, type MulticastItem, type PushItem } from './delivery-batch.js';
import { DeliveryFlag, type DeliveryOptions, NO_OPTIONS } from './delivery-options.js';
import { ticketOf } from './outbound-queue.js';
import { MULTICAST_INDEX, OutcomeCode } from './outcome-batch.js';
import { refuseCall } from './served-calls.js';
import type { Worker } from './worker.js';

/** From here on droppable pushes are dropped. */
const SHEDDING_LEVEL = 2;

/** @param batch from `encodeDeliveries` */
export function deliverBatch(worker: Worker, batch: Uint8Array): void {
  for (const item of decodeDeliveries(batch)) {
    switch (item.kind) {
      case 'push':
        deliverPush(worker, item);
        break;
      case 'multicast':
        deliverMulticast(worker, item);
        break;
      case 'call': {
        const session = worker.sessions.get(item.serial);
        if (session !== undefined) session.call(item.callId, item.businessId, item.frame);
        else refuseCall(worker.router, item.callId, Status.unavailable, 'offline');
        break;
      }
      case 'cancel':
        worker.sessions.get(item.serial)?.cancelCall(item.callId);
    }
  }
}

function deliverPush(worker: Worker, item: PushItem): void {
  const { businessId, frame, indexes, pushId, serials } = item;
  const options = optionsOf(worker, item);
  const refused = refusal(worker, options);
  for (let i = 0; i < serials.length; i++) {
    const ticket = ticketOf(pushId, indexes[i] as number);
    const session = worker.sessions.get(serials[i] as number);
    if (refused !== undefined) worker.settle(ticket, refused);
    else if (session === undefined) worker.settle(ticket, OutcomeCode.offline);
    else session.push(frame, businessId, ticket, options);
  }
}

function deliverMulticast(worker: Worker, item: MulticastItem): void {
  const options = optionsOf(worker, item);
  const refused = refusal(worker, options);
  if (refused === undefined) worker.groups.publish(item, options);
  else worker.router.outcome(item.pushId, MULTICAST_INDEX, refused, 0);
}

function optionsOf(worker: Worker, { flags, expiresAtMs }: PushItem | MulticastItem): DeliveryOptions {
  if (expiresAtMs === 0) return flags === 0 ? NO_OPTIONS : { flags, dueMs: 0 };
  return { flags, dueMs: worker.now() + expiresAtMs - worker.epochMs() };
}

function refusal(worker: Worker, { flags, dueMs }: DeliveryOptions): OutcomeCode | undefined {
  if (dueMs !== 0 && dueMs <= worker.now()) return OutcomeCode.expired;
  const isShed = (flags & DeliveryFlag.droppable) !== 0 && worker.overloadLevel() >= SHEDDING_LEVEL;
  return isShed ? OutcomeCode.shed : undefined;
}
