/**
 * The replies Trunkline gives in a back-end's stead. `trunkline-reason` tells the device's developer why, in words
 * that give away nothing of the network behind; a back-end's own answer never has it.
 */
import { Status } from '../protocol/index.js';
import type { OutcomeKind, UpstreamReply } from './options.js';

export const REASON_KEY = 'trunkline-reason';
export const RETRY_AFTER_KEY = 'retry-after-ms';

const NO_PAYLOAD = new Uint8Array(0);

/** A reply and how metrics count it. */
export interface OwnReply {
  readonly kind: OutcomeKind;
  readonly reply: UpstreamReply;
}

export const CANCELLED = ownReply('cancelled', Status.cancelled, 'cancelled');
export const TIMED_OUT = ownReply('timeout', Status.deadlineExceeded, 'the deadline passed');
export const QUEUE_FULL = ownReply('queue-full', Status.resourceExhausted, 'too many requests wait for this business');
export const UNREACHABLE = ownReply('network', Status.unavailable, 'the back-end cannot be reached');
export const CLOSED = ownReply('closed', Status.unavailable, 'this node is stopping');

export function refused(why: string): OwnReply {
  return ownReply('refused', Status.invalidArgument, why);
}

export function badAnswer(why: string): OwnReply {
  return ownReply('bad-answer', Status.internal, why);
}

export function breakerOpen(retryAfterMs: number): OwnReply {
  const metadata = { [REASON_KEY]: 'the back-end failed lately', [RETRY_AFTER_KEY]: String(retryAfterMs) };
  return { kind: 'breaker-open', reply: { status: Status.unavailable, metadata, payload: NO_PAYLOAD } };
}

function ownReply(kind: OutcomeKind, status: Status, reason: string): OwnReply {
  return Object.freeze({
    kind,
    reply: Object.freeze({ status, metadata: { [REASON_KEY]: reason }, payload: NO_PAYLOAD }),
  });
}
