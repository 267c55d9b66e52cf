/**
 * A router of one thread and no network: devices that a test says are online, groups in a map.
 */
import type {
  BroadcastResult,
  DeliveryResult,
  DeviceCall,
  DeviceInfo,
  DeviceKey,
  DevicePage,
  DeviceReply,
  GroupInfo,
  GroupPage,
  MembershipResult,
  MulticastResult,
  PageRequest,
  Presence,
  Push,
  PushMessage,
  RoutingService,
  UserDelivery,
  UserPresence,
} from '../../actors/index.js';
import { GroupNotFoundError } from '../../actors/index.js';

export class FakeRouting implements RoutingService {
  readonly pushed: { devices: readonly DeviceKey[]; message: PushMessage }[] = [];
  readonly called: { device: DeviceKey; call: DeviceCall }[] = [];
  /** By device id. What is not here is offline. */
  readonly outcomes = new Map<string, DeliveryResult>();
  readonly online = new Map<string, Presence>();
  /** Device ids by user id. */
  readonly users = new Map<string, readonly string[]>();
  readonly groups = new Map<string, Set<string>>();
  /** What every device answers. */
  reply: (call: DeviceCall) => Promise<DeviceReply> = async ({ payload }) => ({ status: 0, metadata: {}, payload });
  /** Thrown by the next calls, when set. */
  failure: Error | undefined;
  /** Until it settles no push is answered. */
  gate: Promise<unknown> | undefined;
  #offset = 0;

  async push(devices: readonly DeviceKey[], message: PushMessage): Promise<DeliveryResult[]> {
    this.#maybeFail();
    this.pushed.push({ devices, message });
    await this.gate;
    return devices.map(({ deviceId }) => this.outcomes.get(deviceId) ?? { result: 'offline' });
  }

  pushMany(pushes: readonly Push[]): Promise<DeliveryResult[][]> {
    return Promise.all(pushes.map(({ devices, message }) => this.push(devices, message)));
  }

  async pushToUsers(app: string, uids: readonly string[], message: PushMessage): Promise<UserDelivery[]> {
    const deliveries = uids.map(async (uid) => {
      const ids = this.users.get(uid) ?? [];
      const keys = ids.map((deviceId) => ({ app, deviceId }));
      const results = await this.push(keys, message);
      return { uid, devices: ids.map((device, i) => ({ device, ...(results[i] as DeliveryResult) })) };
    });
    return Promise.all(deliveries);
  }

  async broadcast(app: string, message: PushMessage): Promise<BroadcastResult> {
    const keys = [...this.outcomes.keys()].map((deviceId) => ({ app, deviceId }));
    const results = { delivered: 0, offline: 0, expired: 0, dropped: 0, unknown: 0 };
    for (const { result } of await this.push(keys, message)) results[result] += 1;
    return { devices: keys.length, results };
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

  async listGroups(businessId: number, { after = '', limit }: PageRequest): Promise<GroupPage> {
    const prefix = `${businessId}/`;
    const names = [...this.groups.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
    const rest = names.sort().filter((name) => name > after);
    const groups = await Promise.all(rest.slice(0, limit).map((name) => this.getGroup(businessId, name)));
    const known = groups.filter((group) => group !== undefined);
    return rest.length > limit ? { groups: known, next: known.at(-1)?.group } : { groups: known };
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

  async presenceOfUsers(_businessId: number, _app: string, uids: readonly string[]): Promise<UserPresence[]> {
    return uids.map((uid) => ({
      uid,
      devices: (this.users.get(uid) ?? []).flatMap((deviceId) => {
        const presence = this.online.get(deviceId);
        return presence === undefined ? [] : [{ deviceId, ...presence }];
      }),
    }));
  }

  async locate(devices: readonly DeviceKey[]): Promise<(DeviceInfo | undefined)[]> {
    this.#maybeFail();
    return devices.map((device) => {
      const presence = this.online.get(device.deviceId);
      if (presence === undefined || !presence.online) return undefined;
      const { connectionId, uid, sinceMs } = presence;
      return { ...device, uid, connectionId, businesses: [], sinceMs };
    });
  }

  async listDevices({ limit }: PageRequest): Promise<DevicePage> {
    const devices = [...this.online].flatMap(([deviceId, presence]) => {
      if (!presence.online) return [];
      const { connectionId, uid, sinceMs } = presence;
      return [{ app: 'demo', deviceId, uid, connectionId, businesses: [1], sinceMs }];
    });
    return { devices: devices.slice(0, limit) };
  }

  async call(device: DeviceKey, call: DeviceCall): Promise<DeviceReply> {
    this.#maybeFail();
    this.called.push({ device, call });
    if (this.online.has(device.deviceId)) return this.reply(call);
    return { status: 14, metadata: { 'trunkline-reason': 'offline' }, payload: new Uint8Array(0) };
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
