/**
 * What the bridge answers, word for word.
 *
 * @see docs/api.md
 */

/**
 * - `delivered`  the kernel took every byte
 * - `offline`    no connection that was granted this business
 * - `dropped`    removed from the queue before the kernel took it; `reason` says why
 * - `unknown`    handed on and not answered in time: it may have arrived
 */
export interface DeliveryResult {
  readonly result: 'delivered' | 'offline' | 'dropped' | 'unknown';
  readonly reason?: 'slow' | 'closed';
}

export interface UnicastAnswer extends DeliveryResult {
  readonly messageId: string;
}

export interface BatchAnswer {
  readonly messageId: string;
  /** One a device, in the order of the request. */
  readonly results: readonly (DeliveryResult & { readonly device: string })[];
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
}
