/**
 * The router: knows which connection a device has and who listens to a group, turns every push into at most one item
 * per access worker, here or on another node, and gathers the outcomes. Lives in the main thread; its mailbox is
 * called by the bridge, by the access workers, and by what watches over the nodes. It puts the parts together; each
 * part is a file of its own.
 */
import { decodeFrame, FrameDecoder, FrameType, MAX_DECLARABLE_BYTES } from '../protocol/index.js';
import { callDevice } from './device-calls.js';
import type { Route } from './engine-ports.js';
import { THIS_TURN } from './gatherer.js';
import { decodeOutcomes, MULTICAST_INDEX } from './outcome-batch.js';
import type { DeviceKey } from './ports.js';
import type { Restated } from './restate.js';
import type { GroupAddress } from './router-groups.js';
import type {
  ClaimReply,
  GroupSize,
  ListenReply,
  RestoreReply,
  RouteClaim,
  RouteRelease,
  RouteRestore,
} from './router-link.js';
import type { RouterFigures, RouterOptions } from './router-options.js';
import { RouterParts } from './router-parts.js';
import type {
  BroadcastResult,
  DeliveryResult,
  DeviceCall,
  DeviceInfo,
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
  UserDelivery,
  UserPresence,
} from './routing-service.js';
import { within } from './within.js';
import { WorkerOutbox, type WorkerPort } from './worker-outbox.js';

const EXPIRE_EVERY_MS = 100;
/** What a dead worker left is swept; whoever starts the next one does not wait longer than this. */
const SWEEP_PATIENCE_MS = 500;

type Devices = readonly DeviceKey[];
type FromWorker<Message> = Message & { readonly worker: number };

export default class RouterActor {
  readonly #options: RouterOptions;
  readonly #parts: RouterParts;
  readonly #timer: NodeJS.Timeout;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#parts = new RouterParts(options);
    this.#timer = setInterval(() => this.#parts.expire(options.now()), EXPIRE_EVERY_MS).unref();
  }

  /** Begins to receive from other nodes, and multicasts from this one. */
  open(): Promise<void> {
    const { inbox, fanOuts } = this.#parts;
    return this.#options.bus.open(this.#options.incarnation, {
      onMessage: (bytes) => inbox.receive(bytes),
      onMulticast: (multicast) => fanOuts.receive(multicast),
    });
  }

  destroy(): void {
    clearInterval(this.#timer);
    this.#parts.stop();
  }

  figures(): RouterFigures {
    return this.#parts.figures();
  }

  // ---- access workers

  attachWorker({ worker, generation, port }: { worker: number; generation: number; port: WorkerPort }): void {
    const { gatherWindow = THIS_TURN, onError } = this.#options;
    const number = this.#parts.newNumber();
    this.#parts.destinations.attach(new WorkerOutbox({ number, worker, generation, port, gatherWindow, onError }));
  }

  /** @returns how many routes were withdrawn; 0 where that takes longer, and goes on */
  async workerGone({ worker }: { worker: number }): Promise<number> {
    const { destinations, localGroups, registrar } = this.#parts;
    const outbox = destinations.detach(worker);
    if (outbox === undefined) return 0;
    outbox.close();
    localGroups.workerGone(worker);
    this.#parts.gone(outbox.number);
    const sweeping = registrar.sweepRun(outbox);
    sweeping.catch(this.#options.onError);
    return (await within(SWEEP_PATIENCE_MS, sweeping)) ?? 0;
  }

  async claimRoutes({ worker, claims }: FromWorker<{ claims: RouteClaim[] }>): Promise<ClaimReply> {
    return this.#parts.registrar.claim(this.#attached(worker), claims);
  }

  async restoreRoutes({ worker, routes }: FromWorker<{ routes: RouteRestore[] }>): Promise<RestoreReply> {
    return this.#parts.registrar.restore(this.#attached(worker), routes);
  }

  releaseRoutes({ releases }: { releases: RouteRelease[] }): Promise<void> {
    return this.#parts.registrar.release(releases);
  }

  async listenToGroup(wish: FromWorker<GroupAddress & { create: boolean }>): Promise<ListenReply> {
    const { worker, businessId, group, create } = wish;
    if (create) await this.#options.groups.create(businessId, group);
    this.#attached(worker);
    return { stream: await this.#parts.localGroups.listen(worker, businessId, group) };
  }

  groupSizes({ worker, sizes }: FromWorker<{ sizes: GroupSize[] }>): void {
    if (this.#parts.destinations.local(worker) !== undefined) this.#parts.localGroups.report(worker, sizes);
  }

  outcomes({ worker, outcomes }: FromWorker<{ outcomes: Uint8Array }>): void {
    const { destinations, fanOuts, pushes, relayedPushes } = this.#parts;
    const number = destinations.local(worker)?.number;
    if (number === undefined) return;
    for (const outcome of decodeOutcomes(outcomes)) {
      if (outcome.index === MULTICAST_INDEX) fanOuts.settle(outcome, number);
      else if (!pushes.settle(outcome, number)) relayedPushes.settle(outcome, number);
    }
  }

  callReplies({ worker, replies }: FromWorker<{ replies: Uint8Array }>): void {
    const { calls, destinations, relayedCalls } = this.#parts;
    const number = destinations.local(worker)?.number;
    if (number === undefined) return;
    for (const raw of new FrameDecoder(MAX_DECLARABLE_BYTES).decode(replies)) {
      const frame = decodeFrame(raw);
      if (frame?.type !== FrameType.response) continue;
      if (!calls.settle(frame.requestId, frame, number)) relayedCalls.settle(frame.requestId, frame, number);
    }
  }

  // ---- what watches over the nodes

  /**
   * The engine has forgotten: every session's route and every group with members is told again.
   *
   * @throws {EngineUnavailableError} what is left is to be told once more
   */
  async restoreAll(): Promise<Restated> {
    const { destinations, localGroups } = this.#parts;
    const asks = [...destinations.locals()].map((worker) => worker.ask<Restated>('restateRoutes', {}));
    const [answers] = await Promise.all([Promise.all(asks), localGroups.restore()]);
    return {
      restored: answers.reduce((sum, { restored }) => sum + restored, 0),
      refused: answers.reduce((sum, { refused }) => sum + refused, 0),
    };
  }

  /**
   * Withdraws what a gone node has left, part by part, each with its events.
   *
   * @returns how many routes that were
   * @throws {EngineUnavailableError} what is left is still there
   */
  sweep({ incarnation, belowFence }: { incarnation: string; belowFence: number }): Promise<number> {
    return this.#parts.registrar.sweep(incarnation, ({ fence }: Route) => fence < belowFence);
  }

  // ---- pushes

  push({ devices, message }: { devices: Devices; message: PushMessage }): Promise<DeliveryResult[]> {
    return this.#parts.toDevices.toDevices(devices, message);
  }

  pushMany({ pushes }: { pushes: readonly Push[] }): Promise<DeliveryResult[][]> {
    return this.#parts.toDevices.many(pushes);
  }

  pushToUsers(target: { app: string; uids: readonly string[]; message: PushMessage }): Promise<UserDelivery[]> {
    return this.#parts.toDevices.toUsers(target.app, target.uids, target.message);
  }

  broadcast({ app, message }: { app: string; message: PushMessage }): Promise<BroadcastResult> {
    return this.#parts.toDevices.toAll(app, message);
  }

  async multicast({ group, message }: { group: string; message: PushMessage }): Promise<MulticastResult> {
    this.#parts.refuseOverload(1);
    return this.#parts.multicasts.send(group, message);
  }

  // ---- groups

  createGroup(address: GroupAddress): Promise<boolean> {
    return this.#parts.groups.create(address);
  }

  dissolveGroup(address: GroupAddress): Promise<boolean> {
    return this.#parts.groups.dissolve(address);
  }

  getGroup(address: GroupAddress): Promise<GroupInfo | undefined> {
    return this.#parts.groups.get(address);
  }

  listGroups({ businessId, page }: { businessId: number; page: PageRequest }): Promise<GroupPage> {
    return this.#parts.groups.list(businessId, page);
  }

  joinGroup(address: GroupAddress & { devices: Devices }): Promise<MembershipResult[]> {
    return this.#parts.groups.change('joinMembers', address);
  }

  leaveGroup(address: GroupAddress & { devices: Devices }): Promise<MembershipResult[]> {
    return this.#parts.groups.change('removeMembers', address);
  }

  // ---- devices

  presence({ businessId, devices }: { businessId: number; devices: Devices }): Promise<Presence[]> {
    return this.#parts.devices.presence(businessId, devices);
  }

  presenceOfUsers(asked: { businessId: number; app: string; uids: readonly string[] }): Promise<UserPresence[]> {
    return this.#parts.devices.presenceOfUsers(asked.businessId, asked.app, asked.uids);
  }

  listDevices({ page }: { page: PageRequest & { app?: string | undefined } }): Promise<DevicePage> {
    return this.#parts.devices.list(page);
  }

  locate({ devices }: { devices: Devices }): Promise<(DeviceInfo | undefined)[]> {
    return this.#parts.devices.locate(devices);
  }

  async call({ device, call }: { device: DeviceKey; call: DeviceCall }): Promise<DeviceReply> {
    const { calls: pending, sender } = this.#parts;
    this.#parts.refuseOverload(1);
    return callDevice({ routes: this.#options.routes, sender, pending }, device, call);
  }

  kick({ businessId, device }: { businessId: number; device: DeviceKey }): Promise<boolean> {
    return this.#parts.devices.kick(businessId, device);
  }

  disconnect({ device }: { device: DeviceKey }): Promise<boolean> {
    return this.#parts.devices.disconnect(device);
  }

  /** What a thread sent before it ended may be handled after its routes were withdrawn. */
  #attached(worker: number): WorkerOutbox {
    const outbox = this.#parts.destinations.local(worker);
    if (outbox === undefined) throw new Error(`access worker ${worker} is gone`);
    return outbox;
  }
}
