/** Pushes to devices, to users and to everybody: look-up, the sender, and the limit on what may wait. */
import { encodeFrame, FrameType } from '../protocol/index.js';
import { BROADCAST_PAGE, broadcast } from './broadcast.js';
import type { RouteStore } from './engine-ports.js';
import type { DeviceKey } from './ports.js';
import type { PushSender } from './push-sender.js';
import type { BroadcastResult, DeliveryResult, Push, PushMessage, UserDelivery } from './routing-service.js';

export interface PushesPorts {
  readonly routes: RouteStore;
  readonly sender: PushSender;
  readonly now: () => number;
  /** @throws {OverloadedError} so many targets more would be too many */
  refuseOverload(targets: number): void;
}

export class Pushes {
  readonly #ports: PushesPorts;

  constructor(ports: PushesPorts) {
    this.#ports = ports;
  }

  async toDevices(devices: readonly DeviceKey[], message: PushMessage): Promise<DeliveryResult[]> {
    const { refuseOverload, routes, sender } = this.#ports;
    refuseOverload(devices.length);
    return sender.send(await routes.lookup(devices), message);
  }

  async many(pushes: readonly Push[]): Promise<DeliveryResult[][]> {
    const { refuseOverload, routes, sender } = this.#ports;
    const devices = pushes.length === 1 ? (pushes[0] as Push).devices : pushes.flatMap((push) => push.devices);
    refuseOverload(devices.length);
    return sender.sendMany(pushes, await routes.lookup(devices));
  }

  async toUsers(app: string, uids: readonly string[], message: PushMessage): Promise<UserDelivery[]> {
    const { refuseOverload, routes, sender } = this.#ports;
    const found = await routes.lookupUsers(app, uids);
    const reachable = found.map((own) => own.filter((route) => sender.isReachable(route, message.businessId)));
    const targets = reachable.flat();
    refuseOverload(targets.length);
    const results = await sender.send(targets, message);
    let at = 0;
    return reachable.map((own, i) => ({
      uid: uids[i] as string,
      devices: own.map(({ deviceId }) => ({ device: deviceId, ...(results[at++] as DeliveryResult) })),
    }));
  }

  toAll(app: string, message: PushMessage): Promise<BroadcastResult> {
    const { now, refuseOverload, routes, sender } = this.#ports;
    const frame = encodeFrame({ type: FrameType.push, ...message });
    return broadcast({
      nextPage: (after) => routes.list({ app, after, limit: BROADCAST_PAGE }),
      isTarget: (route) => sender.isReachable(route, message.businessId),
      send: async (targets) => {
        refuseOverload(targets.length);
        return sender.send(targets, message, frame);
      },
      now,
    });
  }
}
