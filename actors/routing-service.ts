/**
 * What a back-end can do to devices and groups, in the words of the design: the contract between the HTTP bridge
 * and the router. `RouterActor` implements it.
 */
import type { StringMap } from '../protocol/index.js';
import type { DeviceKey } from './ports.js';

export interface PushMessage {
  readonly businessId: number;
  /** Made by the bridge when the back-end named none. */
  readonly messageId: string;
  readonly metadata: StringMap;
  readonly payload: Uint8Array;
}

/**
 * What became of one at-most-once push:
 *
 * - `delivered`  the kernel took every byte
 * - `offline`    no connection that was granted this business
 * - `dropped`    removed from our queue before the kernel took it; `reason` says why
 * - `unknown`    handed on and not answered in time: it may have arrived
 */
export type DeliveryResult =
  | { readonly result: 'delivered' | 'offline' | 'unknown' }
  | { readonly result: 'dropped'; readonly reason: 'slow' | 'closed' };

export interface MulticastResult {
  /** Position in the group's stream, growing by one a multicast. */
  readonly offset: number;
  /** Members it was queued for. */
  readonly members: number;
  /** Access workers that did not answer in time, or whose queue for the group was full. */
  readonly unanswered: number;
}

export type Presence =
  | { readonly online: false }
  | {
      readonly online: true;
      readonly connectionId: string;
      readonly uid?: string | undefined;
      readonly sinceMs: number;
    };

export interface GroupInfo {
  readonly group: string;
  readonly members: number;
  readonly createdAtMs: number;
}

/** Outcome of a server-side join or leave of one device. */
export type MembershipResult =
  | 'joined'
  | 'already-member'
  | 'left'
  | 'not-member'
  | 'offline'
  | 'too-many-groups'
  | 'unknown';

export interface RoutingService {
  /**
   * One message to one or many devices (at most 1,000), one result a device in the same order.
   *
   * @throws {OverloadedError} too many pushes wait for an answer; nothing was sent
   */
  push(devices: readonly DeviceKey[], message: PushMessage): Promise<DeliveryResult[]>;

  /**
   * @throws {OverloadedError} too many pushes wait for an answer; nothing was sent
   * @throws {GroupNotFoundError}
   */
  multicast(group: string, message: PushMessage): Promise<MulticastResult>;

  /** @returns whether the group is new */
  createGroup(businessId: number, group: string): Promise<boolean>;
  /** Ends every membership. @returns whether the group existed */
  dissolveGroup(businessId: number, group: string): Promise<boolean>;
  getGroup(businessId: number, group: string): Promise<GroupInfo | undefined>;
  /** @throws {GroupNotFoundError} */
  joinGroup(businessId: number, group: string, devices: readonly DeviceKey[]): Promise<MembershipResult[]>;
  /** @throws {GroupNotFoundError} */
  leaveGroup(businessId: number, group: string, devices: readonly DeviceKey[]): Promise<MembershipResult[]>;

  /** A device that was not granted the business is offline to it. */
  presence(businessId: number, devices: readonly DeviceKey[]): Promise<Presence[]>;

  /** Withdraws the business's grant from the device's live connection. @returns whether there was one */
  kick(businessId: number, device: DeviceKey): Promise<boolean>;
  /** Closes the device's connection with code 4506, for every business. @returns whether there was one */
  disconnect(device: DeviceKey): Promise<boolean>;
}
