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
  /** Removed from our queues when it still waits after this long; absent or 0 for no such limit of its own. */
  readonly ttlMs?: number | undefined;
  /** `high` goes before what waits with `normal`, the default. */
  readonly priority?: 'high' | 'normal' | undefined;
  /** The first to go when a queue fills or the node is overloaded. */
  readonly droppable?: boolean | undefined;
}

/**
 * What became of one at-most-once push:
 *
 * - `delivered`  the kernel took every byte
 * - `offline`    no connection that was granted this business
 * - `expired`    its `ttlMs` passed while it waited
 * - `dropped`    removed from our queue before the kernel took it; `reason` says why
 * - `unknown`    handed on and not answered in time: it may have arrived
 */
export type DeliveryResult =
  | { readonly result: 'delivered' | 'offline' | 'expired' | 'unknown' }
  | { readonly result: 'dropped'; readonly reason: 'slow' | 'closed' | 'overload' | 'unreachable' };

/** One message to its devices, among many. */
export interface Push {
  readonly devices: readonly DeviceKey[];
  readonly message: PushMessage;
}

/** What became of a message on each device that a user is online with; none is offline. */
export interface UserDelivery {
  readonly uid: string;
  readonly devices: readonly (DeliveryResult & { readonly device: string })[];
}

export interface BroadcastResult {
  /** Online devices of the app that were granted the business. */
  readonly devices: number;
  /** How many of them by result. */
  readonly results: Readonly<Record<DeliveryResult['result'], number>>;
}

export interface MulticastResult {
  /** Position in the group's stream, growing by one a multicast. */
  readonly offset: number;
  /** Members it was queued for. */
  readonly members: number;
  /**
   * Access workers that did not answer in time, refused it, or whose queue for the group was full; a node that did not
   * answer counts as one.
   */
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

export interface UserPresence {
  readonly uid: string;
  /** Those that are online and were granted the business. */
  readonly devices: readonly (Presence & { readonly deviceId: string })[];
}

export interface GroupInfo {
  readonly group: string;
  readonly members: number;
  readonly createdAtMs: number;
}

/** Part of a listing. What stands in the list all the while is listed exactly once, whatever comes and goes. */
export interface PageRequest {
  /** `next` of the page before; absent for the first. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface GroupPage {
  readonly groups: readonly GroupInfo[];
  /** Where the next page begins; absent on the last. */
  readonly next?: string | undefined;
}

/** One online device, as an operator sees it. */
export interface DeviceInfo extends DeviceKey {
  readonly uid?: string | undefined;
  readonly connectionId: string;
  /** Ids of granted businesses. */
  readonly businesses: readonly number[];
  readonly sinceMs: number;
}

export interface DevicePage {
  readonly devices: readonly DeviceInfo[];
  /** Where the next page begins; absent on the last. */
  readonly next?: string | undefined;
}

/** A request of a back-end to a device. */
export interface DeviceCall {
  readonly businessId: number;
  readonly method: string;
  readonly metadata: StringMap;
  readonly payload: Uint8Array;
  /** Then the answer is DEADLINE_EXCEEDED. */
  readonly deadlineMs: number;
  /** The caller gave up: the device is told. */
  readonly signal?: AbortSignal | undefined;
}

export interface DeviceReply {
  /** A `Status`. */
  readonly status: number;
  readonly metadata: StringMap;
  readonly payload: Uint8Array;
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
   * Many messages for the price of one question. Pushes to one device arrive in this order.
   *
   * @returns per push one result a device
   * @throws {OverloadedError} as `push`; none of them was sent
   */
  pushMany(pushes: readonly Push[]): Promise<DeliveryResult[][]>;

  /**
   * One message to every device that these users of an app (at most 1,000) are online with.
   *
   * @throws {OverloadedError} as `push`
   */
  pushToUsers(app: string, uids: readonly string[], message: PushMessage): Promise<UserDelivery[]>;

  /**
   * One message to every online device of an app. Answers when the last outcome is known; comes slower rather than
   * failing half way.
   *
   * @throws {OverloadedError} nothing was sent
   */
  broadcast(app: string, message: PushMessage): Promise<BroadcastResult>;

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
  listGroups(businessId: number, page: PageRequest): Promise<GroupPage>;
  /** @throws {GroupNotFoundError} */
  joinGroup(businessId: number, group: string, devices: readonly DeviceKey[]): Promise<MembershipResult[]>;
  /** @throws {GroupNotFoundError} */
  leaveGroup(businessId: number, group: string, devices: readonly DeviceKey[]): Promise<MembershipResult[]>;

  /** A device that was not granted the business is offline to it. */
  presence(businessId: number, devices: readonly DeviceKey[]): Promise<Presence[]>;
  presenceOfUsers(businessId: number, app: string, uids: readonly string[]): Promise<UserPresence[]>;
  /** Every online device, or of one app, whatever it was granted. */
  listDevices(page: PageRequest & { readonly app?: string | undefined }): Promise<DevicePage>;
  /** Where each device is online, whatever it was granted; `undefined` for one that is not. */
  locate(devices: readonly DeviceKey[]): Promise<(DeviceInfo | undefined)[]>;

  /**
   * Asks a device. Never rejects for what the device does or fails to do: that is a status. A device that is not
   * online is UNAVAILABLE with metadata `trunkline-reason` = `offline`.
   *
   * @throws {OverloadedError} too many calls and pushes wait for an answer; nothing was sent
   */
  call(device: DeviceKey, call: DeviceCall): Promise<DeviceReply>;

  /** Withdraws the business's grant from the device's live connection. @returns whether there was one */
  kick(businessId: number, device: DeviceKey): Promise<boolean>;
  /** Closes the device's connection with code 4506, for every business. @returns whether there was one */
  disconnect(device: DeviceKey): Promise<boolean>;
}
