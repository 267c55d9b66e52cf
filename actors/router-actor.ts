/**
 * The router: knows which connection a device has and which workers listen to a group, turns every push into at
 * most one item per worker, and gathers the outcomes. Lives in the main thread; its mailbox is called by the
 * bridge on one side and by the access workers on the other.
 */
import {
  CloseCode,
  decodeFrame,
  encodeFrame,
  FrameDecoder,
  FrameType,
  MAX_DECLARABLE_BYTES,
  Status,
} from '../protocol/index.js';
import { BROADCAST_PAGE, broadcast } from './broadcast.js';
import { formatConnectionId } from './connection-id.js';
import { decodeOutcomes, OutcomeCode } from './delivery-batch.js';
import type { GroupStore, Route, RouteStore } from './engine-ports.js';
import { GroupNotFoundError, OverloadedError } from './errors.js';
import { type GatherWindow, THIS_TURN } from './gatherer.js';
import { GroupListeners } from './group-listeners.js';
import { localReply, PendingCalls } from './pending-calls.js';
import { PendingPushes } from './pending-pushes.js';
import type { DeviceKey } from './ports.js';
import { PushSender } from './push-sender.js';
import { connectedEvent, disconnectedEvent, type RouteEvent, replacedEvent, withdrawnEvent } from './route-events.js';
import type { GroupSize, GroupStream, RouteClaim, RouteRelease } from './router-link.js';
import type {
  BroadcastResult,
  DeliveryResult,
  DeviceCall,
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
import { WorkerOutbox, type WorkerPort } from './worker-outbox.js';

const EXPIRE_EVERY_MS = 100;
/** An access worker that does not answer a membership change for this long. */
const ASK_TIMEOUT_MS = 2_000;

export interface RouterOptions {
  readonly incarnation: string;
  readonly routes: RouteStore;
  readonly groups: GroupStore;
  /** Targets that may wait for an outcome; more is overload. */
  readonly maxPending: number;
  readonly onError: (error: unknown) => void;
  /** How long pushes for one worker are gathered; not beyond the turn when absent. */
  readonly gatherWindow?: GatherWindow | undefined;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  /** Milliseconds since the Unix epoch; the system's clock when absent. */
  readonly epochMs?: (() => number) | undefined;
  /** Counts pushes to devices by outcome. */
  readonly onResult: (result: DeliveryResult) => void;
  /** Told of every connection that takes a device's route and loses it. */
  readonly onRoute?: ((event: RouteEvent) => void) | undefined;
}

interface GroupAddress {
  readonly businessId: number;
  readonly group: string;
}

interface Replaced {
  readonly serial: number;
  readonly code: number;
  readonly reason: string;
}

export default class RouterActor {
  readonly #options: RouterOptions;
  readonly #workers = new Map<number, WorkerOutbox>();
  readonly #pending = new PendingPushes();
  readonly #calls = new PendingCalls();
  readonly #sender: PushSender;
  readonly #listeners = new GroupListeners();
  readonly #timer: NodeJS.Timeout;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#sender = new PushSender({
      pending: this.#pending,
      workers: this.#workers,
      now: options.now,
      epochMs: () => this.#epochMs(),
      onResult: options.onResult,
    });
    this.#timer = setInterval(() => this.#pending.expire(options.now()), EXPIRE_EVERY_MS).unref();
  }

  destroy(): void {
    clearInterval(this.#timer);
  }

  // ---- access workers

  attachWorker({ worker, port }: { worker: number; port: WorkerPort }): void {
    this.#workers.set(worker, new WorkerOutbox(port, this.#options.gatherWindow ?? THIS_TURN, this.#options.onError));
  }

  /** @returns how many routes were withdrawn */
  async workerGone({ worker }: { worker: number }): Promise<number> {
    this.#workers.get(worker)?.close();
    this.#workers.delete(worker);
    this.#listeners.workerGone(worker);
    this.#pending.workerGone(worker);
    this.#calls.workerGone(worker);
    const released = await this.#options.routes.releaseWorker(this.#options.incarnation, worker);
    for (const route of released) this.#tell((atMs) => disconnectedEvent(route, route, 0, atMs));
    return released.length;
  }

  async claimRoutes({ worker, claims }: { worker: number; claims: RouteClaim[] }): Promise<{ fences: number[] }> {
    const { incarnation, routes } = this.#options;
    this.#refuseGoneWorker(worker);
    const claimed = await routes.claim(
      claims.map(({ serial, ...claim }) => ({ ...claim, connection: { incarnation, worker, serial } })),
    );
    if (!this.#workers.has(worker)) {
      await routes.release(claimed.map(({ fence }, i) => ({ ...deviceOf(claims[i] as RouteClaim), fence })));
      this.#refuseGoneWorker(worker);
    }
    const replaced = new Map<number, Replaced[]>();
    claimed.forEach(({ fence, replaced: old }, i) => {
      const claim = claims[i] as RouteClaim;
      if (old !== undefined && isSameConnection(old, worker, claim)) {
        this.#tellGrants(claim, old, fence);
        return;
      }
      if (old !== undefined) this.#tell((atMs) => replacedEvent(claim, old, atMs));
      const { serial, grants, uid, sinceMs } = claim;
      const route = { connection: { incarnation, worker, serial }, fence, grants, uid, sinceMs };
      this.#tell((atMs) => connectedEvent(claim, route, atMs));
      if (old === undefined) return;
      const list = replaced.get(old.connection.worker) ?? [];
      list.push({ serial: old.connection.serial, code: CloseCode.replaced, reason: 'a newer login' });
      replaced.set(old.connection.worker, list);
    });
    for (const [other, connections] of replaced) this.#workers.get(other)?.send('closeConnections', { connections });
    return { fences: claimed.map(({ fence }) => fence) };
  }

  async releaseRoutes({ releases }: { releases: RouteRelease[] }): Promise<void> {
    const released = await this.#options.routes.release(releases);
    released.forEach((route, i) => {
      const release = releases[i] as RouteRelease;
      if (route !== undefined) this.#tell((atMs) => disconnectedEvent(release, route, release.code, atMs));
    });
  }

  async listenToGroup({
    worker,
    businessId,
    group,
    create,
  }: GroupAddress & { worker: number; create: boolean }): Promise<{ stream: GroupStream | undefined }> {
    const { groups } = this.#options;
    if (create) await groups.create(businessId, group);
    this.#refuseGoneWorker(worker);
    // Listens first: what is numbered after the answer must reach this worker, and sooner does no harm.
    this.#listeners.listen(businessId, group, worker);
    const record = await groups.get(businessId, group);
    if (record === undefined) this.#listeners.report(businessId, group, worker, 0);
    return { stream: record };
  }

  groupSizes({ worker, sizes }: { worker: number; sizes: GroupSize[] }): void {
    if (!this.#workers.has(worker)) return;
    for (const { businessId, group, members } of sizes) this.#listeners.report(businessId, group, worker, members);
  }

  outcomes({ worker, outcomes }: { worker: number; outcomes: Uint8Array }): void {
    for (const outcome of decodeOutcomes(outcomes)) this.#pending.settle(outcome, worker);
  }

  callReplies({ worker, replies }: { worker: number; replies: Uint8Array }): void {
    for (const raw of new FrameDecoder(MAX_DECLARABLE_BYTES).decode(replies)) {
      const frame = decodeFrame(raw);
      if (frame?.type === FrameType.response) this.#calls.settle(frame.requestId, frame, worker);
    }
  }

  // ---- pushes

  async push({ devices, message }: { devices: readonly DeviceKey[]; message: PushMessage }): Promise<DeliveryResult[]> {
    this.#refuseOverload(devices.length);
    return this.#sender.send(await this.#options.routes.lookup(devices), message);
  }

  async pushMany({ pushes }: { pushes: readonly Push[] }): Promise<DeliveryResult[][]> {
    const devices = pushes.length === 1 ? (pushes[0] as Push).devices : pushes.flatMap((push) => push.devices);
    this.#refuseOverload(devices.length);
    return this.#sender.sendMany(pushes, await this.#options.routes.lookup(devices));
  }

  async pushToUsers({
    app,
    uids,
    message,
  }: {
    app: string;
    uids: readonly string[];
    message: PushMessage;
  }): Promise<UserDelivery[]> {
    const routes = await this.#options.routes.lookupUsers(app, uids);
    const reachable = routes.map((own) => own.filter((route) => this.#sender.isReachable(route, message.businessId)));
    const targets = reachable.flat();
    this.#refuseOverload(targets.length);
    const results = await this.#sender.send(targets, message);
    let at = 0;
    return reachable.map((own, i) => ({
      uid: uids[i] as string,
      devices: own.map(({ deviceId }) => ({ device: deviceId, ...(results[at++] as DeliveryResult) })),
    }));
  }

  broadcast({ app, message }: { app: string; message: PushMessage }): Promise<BroadcastResult> {
    const { routes, now } = this.#options;
    const frame = encodeFrame({ type: FrameType.push, ...message });
    return broadcast({
      nextPage: (after) => routes.list({ app, after, limit: BROADCAST_PAGE }),
      isTarget: (route) => this.#sender.isReachable(route, message.businessId),
      send: async (targets) => {
        this.#refuseOverload(targets.length);
        return this.#sender.send(targets, message, frame);
      },
      now,
    });
  }

  async multicast({ group, message }: { group: string; message: PushMessage }): Promise<MulticastResult> {
    this.#refuseOverload(this.#listeners.workers(message.businessId, group).length);
    const offset = await this.#options.groups.nextOffset(message.businessId, group);
    if (offset === undefined) throw new GroupNotFoundError(group);
    const workers = this.#listeners.workers(message.businessId, group);
    const frame = encodeFrame({ type: FrameType.push, ...message, multicast: { group, offset } });
    const { pushId, outcomes } = this.#pending.begin(workers, this.#options.now());
    const { businessId } = message;
    const options = this.#sender.optionsOf(message);
    for (const worker of workers) {
      this.#workers.get(worker)?.deliver({ kind: 'multicast', pushId, businessId, ...options, group, offset, frame });
    }
    const reached = await outcomes;
    if (reached.length > 0 && reached.every(({ code }) => code === OutcomeCode.overloaded)) {
      throw new OverloadedError(this.#pending.targets, this.#options.maxPending);
    }
    return {
      offset,
      members: reached.reduce((sum, { members }) => sum + members, 0),
      unanswered: reached.filter(({ code }) => !SETTLED_MULTICASTS.has(code)).length,
    };
  }

  // ---- groups

  createGroup({ businessId, group }: GroupAddress): Promise<boolean> {
    return this.#options.groups.create(businessId, group);
  }

  async dissolveGroup({ businessId, group }: GroupAddress): Promise<boolean> {
    const existed = await this.#options.groups.dissolve(businessId, group);
    for (const worker of this.#listeners.workers(businessId, group)) {
      this.#workers.get(worker)?.send('dissolveGroup', { businessId, group });
    }
    return existed;
  }

  async getGroup({ businessId, group }: GroupAddress): Promise<GroupInfo | undefined> {
    const record = await this.#options.groups.get(businessId, group);
    if (record === undefined) return undefined;
    return { group, members: this.#listeners.members(businessId, group), createdAtMs: record.createdAtMs };
  }

  async listGroups({ businessId, page }: { businessId: number; page: PageRequest }): Promise<GroupPage> {
    const { groups, next } = await this.#options.groups.list(businessId, page);
    const infos = groups.map(({ group, createdAtMs }) => {
      return { group, members: this.#listeners.members(businessId, group), createdAtMs };
    });
    return next === undefined ? { groups: infos } : { groups: infos, next };
  }

  joinGroup(address: GroupAddress & { devices: readonly DeviceKey[] }): Promise<MembershipResult[]> {
    return this.#changeMembership('joinMembers', address);
  }

  leaveGroup(address: GroupAddress & { devices: readonly DeviceKey[] }): Promise<MembershipResult[]> {
    return this.#changeMembership('removeMembers', address);
  }

  // ---- devices

  async presence({ businessId, devices }: { businessId: number; devices: readonly DeviceKey[] }): Promise<Presence[]> {
    const routes = await this.#options.routes.lookup(devices);
    return routes.map((route) => (this.#sender.isReachable(route, businessId) ? presenceOf(route) : { online: false }));
  }

  async presenceOfUsers({
    businessId,
    app,
    uids,
  }: {
    businessId: number;
    app: string;
    uids: readonly string[];
  }): Promise<UserPresence[]> {
    const routes = await this.#options.routes.lookupUsers(app, uids);
    return routes.map((own, i) => ({
      uid: uids[i] as string,
      devices: own
        .filter((route) => this.#sender.isReachable(route, businessId))
        .map((route) => ({ deviceId: route.deviceId, ...presenceOf(route) })),
    }));
  }

  async listDevices({ page }: { page: PageRequest & { app?: string | undefined } }): Promise<DevicePage> {
    const { routes, next } = await this.#options.routes.list(page);
    const devices = routes.map(({ app, deviceId, uid, connection, grants: businesses, sinceMs }) => {
      return { app, deviceId, uid, connectionId: formatConnectionId(connection), businesses, sinceMs };
    });
    return next === undefined ? { devices } : { devices, next };
  }

  async call({ device, call }: { device: DeviceKey; call: DeviceCall }): Promise<DeviceReply> {
    this.#refuseOverload(1);
    const { businessId, method, metadata, payload, deadlineMs, signal } = call;
    const [route] = await this.#options.routes.lookup([device]);
    if (!this.#sender.isReachable(route, businessId)) return localReply(Status.unavailable, 'offline');
    if (signal?.aborted === true) return localReply(Status.cancelled, 'the caller gave up');
    const { worker, serial } = route.connection;
    const { callId, reply } = this.#calls.begin({
      worker,
      deadlineMs,
      signal,
      onGiveUp: (id) => this.#workers.get(worker)?.deliver({ kind: 'cancel', callId: id, serial }),
    });
    const type = FrameType.request;
    const frame = encodeFrame({ type, requestId: callId, businessId, method, metadata, deadlineMs, payload });
    this.#workers.get(worker)?.deliver({ kind: 'call', callId, businessId, serial, frame });
    return reply;
  }

  async kick({ businessId, device }: { businessId: number; device: DeviceKey }): Promise<boolean> {
    const [route] = await this.#options.routes.lookup([device]);
    if (!this.#sender.isReachable(route, businessId)) return false;
    const withdrawn = await this.#options.routes.withdrawGrant(device, route.fence, businessId);
    const { worker, serial } = route.connection;
    if (withdrawn) {
      this.#workers.get(worker)?.send('revokeGrant', { serial, businessId });
      this.#tell((atMs) => withdrawnEvent(device, { ...route, grants: [businessId] }, atMs));
    }
    return withdrawn;
  }

  async disconnect({ device }: { device: DeviceKey }): Promise<boolean> {
    const [route] = await this.#options.routes.lookup([device]);
    if (route === undefined) return false;
    const { worker, serial } = route.connection;
    const connections: Replaced[] = [{ serial, code: CloseCode.kicked, reason: 'closed by the app' }];
    this.#workers.get(worker)?.send('closeConnections', { connections });
    return true;
  }

  // ---- inside

  /** What a thread sent before it ended may be handled after its routes were withdrawn. */
  #refuseGoneWorker(worker: number): void {
    if (!this.#workers.has(worker)) throw new Error(`access worker ${worker} is gone`);
  }

  #refuseOverload(targets: number): void {
    const pending = this.#pending.targets + this.#calls.size;
    if (pending + targets > this.#options.maxPending) throw new OverloadedError(pending, this.#options.maxPending);
  }

  #epochMs(): number {
    return this.#options.epochMs?.() ?? Date.now();
  }

  /** A token refresh: the businesses that the connection has won or lost learn of it, the others notice nothing. */
  #tellGrants(claim: RouteClaim, old: Route, fence: number): void {
    const lost = old.grants.filter((id) => !claim.grants.includes(id));
    const won = claim.grants.filter((id) => !old.grants.includes(id));
    const route = { ...old, fence, uid: claim.uid };
    if (lost.length > 0) this.#tell((atMs) => withdrawnEvent(claim, { ...route, grants: lost }, atMs));
    if (won.length > 0) this.#tell((atMs) => connectedEvent(claim, { ...route, grants: won }, atMs));
  }

  #tell(event: (atMs: number) => RouteEvent): void {
    this.#options.onRoute?.(event(this.#epochMs()));
  }

  async #changeMembership(
    topic: 'joinMembers' | 'removeMembers',
    { businessId, group, devices }: GroupAddress & { devices: readonly DeviceKey[] },
  ): Promise<MembershipResult[]> {
    const stream = await this.#options.groups.get(businessId, group);
    if (stream === undefined) throw new GroupNotFoundError(group);
    const routes = await this.#options.routes.lookup(devices);
    const results = new Array<MembershipResult>(devices.length).fill('offline');
    const byWorker = new Map<number, { index: number; serial: number }[]>();
    routes.forEach((route, index) => {
      if (!this.#sender.isReachable(route, businessId)) return;
      const { worker, serial } = route.connection;
      byWorker.set(worker, [...(byWorker.get(worker) ?? []), { index, serial }]);
    });
    const asks = [...byWorker].map(async ([worker, members]) => {
      if (topic === 'joinMembers') this.#listeners.listen(businessId, group, worker);
      const serials = members.map(({ serial }) => serial);
      const answers = await this.#ask(worker, topic, { businessId, group, stream, serials });
      members.forEach(({ index }, i) => {
        results[index] = answers?.[i] ?? 'unknown';
      });
    });
    await Promise.all(asks);
    return results;
  }

  async #ask(worker: number, topic: string, message: object): Promise<MembershipResult[] | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, ASK_TIMEOUT_MS, undefined);
    });
    const answer = this.#workers
      .get(worker)
      ?.ask<{ results: MembershipResult[] }>(topic, message)
      .then(({ results }) => results)
      .catch(() => undefined);
    const results = await Promise.race([answer, timeout]);
    clearTimeout(timer);
    return results;
  }
}

function presenceOf({ connection, uid, sinceMs }: Route): Presence {
  return { online: true, connectionId: formatConnectionId(connection), uid, sinceMs };
}

function deviceOf({ app, deviceId }: RouteClaim): DeviceKey {
  return { app, deviceId };
}

/** A token refresh claims the route of the connection that holds it. */
function isSameConnection({ connection }: Route, worker: number, { serial }: RouteClaim): boolean {
  return connection.worker === worker && connection.serial === serial;
}

/** Outcomes of a multicast on one worker that leave nothing open. */
const SETTLED_MULTICASTS: ReadonlySet<OutcomeCode> = new Set([OutcomeCode.delivered, OutcomeCode.expired]);
