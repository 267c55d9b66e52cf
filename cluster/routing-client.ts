/** The router as the services see it: each call of the contract is a message to the router's actor. */
import type { ActorRef, RoutingService } from '../actors/index.js';

export function createRoutingClient(router: ActorRef): RoutingService {
  const ask = <Reply>(topic: string, message: object) => router.sendAndReceive(topic, message) as Promise<Reply>;
  return {
    push: (devices, message) => ask('push', { devices, message }),
    pushMany: (pushes) => ask('pushMany', { pushes }),
    pushToUsers: (app, uids, message) => ask('pushToUsers', { app, uids, message }),
    broadcast: (app, message) => ask('broadcast', { app, message }),
    multicast: (group, message) => ask('multicast', { group, message }),
    createGroup: (businessId, group) => ask('createGroup', { businessId, group }),
    dissolveGroup: (businessId, group) => ask('dissolveGroup', { businessId, group }),
    getGroup: (businessId, group) => ask('getGroup', { businessId, group }),
    listGroups: (businessId, page) => ask('listGroups', { businessId, page }),
    joinGroup: (businessId, group, devices) => ask('joinGroup', { businessId, group, devices }),
    leaveGroup: (businessId, group, devices) => ask('leaveGroup', { businessId, group, devices }),
    presence: (businessId, devices) => ask('presence', { businessId, devices }),
    presenceOfUsers: (businessId, app, uids) => ask('presenceOfUsers', { businessId, app, uids }),
    listDevices: (page) => ask('listDevices', { page }),
    locate: (devices) => ask('locate', { devices }),
    call: (device, call) => ask('call', { device, call }),
    kick: (businessId, device) => ask('kick', { businessId, device }),
    disconnect: (device) => ask('disconnect', { device }),
  };
}
