/**
 * A router of one thread and no network: devices that a test says are online, groups in a map.
 */
import type {
  DeliveryResult,
  DeviceKey,
  GroupInfo,
  MembershipResult,
  MulticastResult,
  Presence,
  PushMessage,
  RoutingService,
} from '../../actors/index.js';
import { GroupNotFoundError } from '../../actors/index.js';

export class FakeRouting implements RoutingService {
  readonly pushed: { devices: readonly DeviceKey[]; message: PushMessage }[] = [];
  /** By device id. What is not here is offline. */
  readonly outcomes = new Map<string, DeliveryResult>();
  readonly online = new Map<string, Presence>();
  readonly groups = new Map<string, Set<string>>();
  /** Thrown by the next calls, when set. */
  failure: Error | undefined;
  #offset = 0;

  async push(devices: readonly DeviceKey[], message: PushMessage): Promise<DeliveryResult[]> {
    this.#maybeFail();
    this.pushed.push({ devices, message });
    return devices.map(({ deviceId }) => this.outcomes.get(deviceId) ?? { result: 'offline' });
  }

  async multicast(group: string, message: PushMessage): Promise<MulticastResult> {
    this.#maybeFail();
    const members = this.#members(message.businessId, group).size;
    this.pushed.push({ devices: [], message });
    this.#offset += 1;
    return { offset: this.#offset, members, unanswered: 0 };
  }

  async createGroup(businessId: number, group: string): Promise<boolean> {
    const key = `${businessId}/${group}`;
    if (this.groups.has(key)) return false;
    this.groups.set(key, new Set());
    return true;
  }

  async dissolveGroup(businessId: number, group: string): Promise<boolean> {
    return this.groups.delete(`${businessId}/${group}`);
  }

  async getGroup(businessId: number, group: string): Promise<GroupInfo | undefined> {
    const members = this.groups.get(`${businessId}/${group}`);
    return members === undefined ? undefined : { group, members: members.size, createdAtMs: 1_750_000_000_000 };
  }

  async joinGroup(businessId: number, group: string, devices: readonly DeviceKey[]): Promise<MembershipResult[]> {
    const members = this.#members(businessId, group);
    return devices.map(({ deviceId }) => {
      if (!this.online.has(deviceId)) return 'offline';
      if (members.has(deviceId)) return 'already-member';
      members.add(deviceId);
      return 'joined';
    });
  }

  async leaveGroup(businessId: number, group: string, devices: readonly DeviceKey[]): Promise<MembershipResult[]> {
    const members = this.#members(businessId, group);
    return devices.map(({ deviceId }) => (members.delete(deviceId) ? 'left' : 'not-member'));
  }

  async presence(_businessId: number, devices: readonly DeviceKey[]): Promise<Presence[]> {
    return devices.map(({ deviceId }) => this.online.get(deviceId) ?? { online: false });
  }

  async kick(_businessId: number, { deviceId }: DeviceKey): Promise<boolean> {
    return this.online.delete(deviceId);
  }

  async disconnect({ deviceId }: DeviceKey): Promise<boolean> {
    return this.online.delete(deviceId);
  }

  #members(businessId: number, group: string): Set<string> {
    const members = this.groups.get(`${businessId}/${group}`);
    if (members === undefined) throw new GroupNotFoundError(group);
    return members;
  }

  #maybeFail(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}
