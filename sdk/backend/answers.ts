/**
 * What the bridge answers, word for word.
 *
 * @see docs/api.md
 */

import type { FieldProblem } from './errors.js';

/**
 * - `delivered`  the kernel took every byte
 * - `offline`    no connection that was granted this business
 * - `expired`    its `ttlMs` passed while it waited
 * - `dropped`    it ended before the kernel took it; `reason` says why
 * - `unknown`    handed on and not answered in time: it may have arrived
 */
export interface DeliveryResult {
  readonly result: 'delivered' | 'offline' | 'expired' | 'dropped' | 'unknown';
  readonly reason?: 'slow' | 'closed' | 'overload' | 'unreachable';
}

export interface DeviceDelivery extends DeliveryResult {
  readonly device: string;
}

export interface UnicastAnswer extends DeliveryResult {
  readonly messageId: string;
}

export interface BatchAnswer {
  readonly messageId: string;
  /** One a device, in the order of the request. */
  readonly results: readonly DeviceDelivery[];
}

export interface UserAnswer {
  readonly messageId: string;
  readonly user: string;
  /** One a device that the user is online with. */
  readonly devices: readonly DeviceDelivery[];
}

export interface BroadcastAnswer {
  readonly messageId: string;
  /** Online devices that were granted this business. */
  readonly devices: number;
  readonly results: Readonly<Record<DeliveryResult['result'], number>>;
}

/** What a device answered, or why it did not. */
export interface CallAnswer {
  /** A `Status`. */
  readonly status: number;
  /** The same in words. */
  readonly statusName: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly payload: Uint8Array;
}

/** Why a line of a bulk push was not pushed; codes as in problems. */
export interface LineError {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldProblem[];
}

/** What became of one push of a bulk; which fields there are depends on where it went. */
export interface BulkResult {
  /** Counted from 0; absent on a last result that is about the whole stream. */
  readonly index?: number;
  readonly ref?: string;
  readonly messageId?: string;
  /** Of one device, as is `reason`. */
  readonly result?: DeliveryResult['result'];
  readonly reason?: DeliveryResult['reason'];
  /** Of many devices. */
  readonly results?: readonly DeviceDelivery[];
  /** Of a user. */
  readonly devices?: readonly DeviceDelivery[];
  /** Of a group, as are the next two. */
  readonly offset?: number;
  readonly members?: number;
  readonly unanswered?: number;
  readonly error?: LineError;
}

export interface MulticastAnswer {
  readonly messageId: string;
  /** Position in the group's stream. */
  readonly offset: number;
  /** Members it was queued for. */
  readonly members: number;
  /** Access workers that did not answer in time. */
  readonly unanswered: number;
}

export interface GroupInfo {
  readonly group: string;
  readonly members: number;
  readonly createdAtMs: number;
}

export interface GroupPage {
  readonly groups: readonly GroupInfo[];
  /** `after` of the next page; absent on the last. */
  readonly next?: string;
}

export interface UserPresenceAnswer {
  readonly user: string;
  readonly online: boolean;
  readonly devices: readonly { readonly device: string; readonly connectionId: string; readonly sinceMs: number }[];
}

export interface MembershipAnswer {
  readonly device: string;
  readonly result: 'joined' | 'already-member' | 'left' | 'not-member' | 'offline' | 'too-many-groups' | 'unknown';
}

export interface PresenceAnswer {
  readonly device: string;
  readonly online: boolean;
  readonly connectionId?: string;
  readonly uid?: string;
  readonly sinceMs?: number;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
  readonly deviceId: string;
  /** By which `revoke` takes back this one token. */
  readonly jti: string;
}
