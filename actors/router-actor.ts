/**
 * The router: knows which connection a device has and which workers listen to a group, turns every push into at
 * most one item per worker, and gathers the outcomes. Lives in the main thread; its mailbox is called by the
 * bridge on one side and by the access workers on the other.
 */
import { CloseCode, encodeFrame, FrameType } from '../protocol/index.js';
import { formatConnectionId } from './connection-id.js';
import { decodeOutcomes, OutcomeCode } from './delivery-batch.js';
import type { GroupStore, Route, RouteStore } from './engine-ports.js';
import { GroupNotFoundError, OverloadedError } from './errors.js';
import { GroupListeners } from './group-listeners.js';
import { NO_WORKER, PendingPushes, type TargetOutcome } from './pending-pushes.js';
import type { DeviceKey } from './ports.js';
import type { GroupSize, GroupStream, RouteClaim, RouteRelease } from './router-link.js';
import type {
  DeliveryResult,
  GroupInfo,
  MembershipResult,
  MulticastResult,
  Presence,
  PushMessage,
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
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  /** Counts pushes to devices by outcome. */
  readonly onResult: (result: DeliveryResult) => void;
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
  readonly #listeners = new GroupListeners();
  readonly #timer: NodeJS.Timeout;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#pending.expire(options.now()), EXPIRE_EVERY_MS).unref();
  }

  destroy(): void {
    clearInterval(this.#timer);
  }

  // ---- access workers

  attachWorker({ worker, port }: { worker: number; port: WorkerPort }): void {
    this.#workers.set(worker, new WorkerOutbox(port, this.#options.onError));
  }

  /** @returns how many routes were withdrawn */
  async workerGone({ worker }: { worker: number }): Promise<number> {
    this.#workers.get(worker)?.close();
    this.#workers.delete(worker);
    this.#listeners.workerGone(worker);
    this.#pending.workerGone(worker);
    return this.#options.routes.releaseWorker(this.#options.incarnation, worker);
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
    claimed.forEach(({ replaced: old }, i) => {
      if (old === undefined || isSameConnection(old, worker, claims[i] as RouteClaim)) return;
      const list = replaced.get(old.connection.worker) ?? [];
      list.push({ serial: old.connection.serial, code: CloseCode.replaced, reason: 'a newer login' });
      replaced.set(old.connection.worker, list);
    });
    for (const [other, connections] of replaced) this.#workers.get(other)?.send('closeConnections', { connections });
    return { fences: claimed.map(({ fence }) => fence) };
  }

  releaseRoutes({ releases }: { releases: RouteRelease[] }): Promise<void> {
    return this.#options.routes.release(releases);
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

  // ---- pushes

  async push({ devices, message }: { devices: readonly DeviceKey[]; message: PushMessage }): Promise<DeliveryResult[]> {
    this.#refuseOverload(devices.length);
    const routes = await this.#options.routes.lookup(devices);
    const targets = routes.map((route) => (this.#isReachable(route, message.businessId) ? route : undefined));
    const workers = targets.map((route) => route?.connection.worker ?? NO_WORKER);
    const { pushId, outcomes } = this.#pending.begin(workers, this.#options.now());
    this.#deliver(pushId, targets, message);
    const results = (await outcomes).map(toDeliveryResult);
    for (const result of results) this.#options.onResult(result);
    return results;
  }

  async multicast({ group, message }: { group: string; message: PushMessage }): Promise<MulticastResult> {
    this.#refuseOverload(this.#listeners.workers(message.businessId, group).length);
    const offset = await this.#options.groups.nextOffset(message.businessId, group);
    if (offset === undefined) throw new GroupNotFoundError(group);
    const workers = this.#listeners.workers(message.businessId, group);
    const frame = encodeFrame({ type: FrameType.push, ...message, multicast: { group, offset } });
    const { pushId, outcomes } = this.#pending.begin(workers, this.#options.now());
    const { businessId } = message;
    for (const worker of workers) {
      this.#workers.get(worker)?.deliver({ kind: 'multicast', pushId, businessId, group, offset, frame });
    }
    const reached = await outcomes;
    if (reached.length > 0 && reached.every(({ code }) => code === OutcomeCode.overloaded)) {
      throw new OverloadedError(this.#pending.targets, this.#options.maxPending);
    }
    return {
      offset,
      members: reached.reduce((sum, { members }) => sum + members, 0),
      unanswered: reached.filter(({ code }) => code !== OutcomeCode.delivered).length,
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

  joinGroup(address: GroupAddress & { devices: readonly DeviceKey[] }): Promise<MembershipResult[]> {
    return this.#changeMembership('joinMembers', address);
  }

  leaveGroup(address: GroupAddress & { devices: readonly DeviceKey[] }): Promise<MembershipResult[]> {
    return this.#changeMembership('removeMembers', address);
  }

  // ---- devices

  async presence({ businessId, devices }: { businessId: number; devices: readonly DeviceKey[] }): Promise<Presence[]> {
    const routes = await this.#options.routes.lookup(devices);
    return routes.map((route) => {
      if (!this.#isReachable(route, businessId)) return { online: false };
      const { connection, uid, sinceMs } = route;
      return { online: true, connectionId: formatConnectionId(connection), uid, sinceMs };
    });
  }

  async kick({ businessId, device }: { businessId: number; device: DeviceKey }): Promise<boolean> {
    const [route] = await this.#options.routes.lookup([device]);
    if (!this.#isReachable(route, businessId)) return false;
    const withdrawn = await this.#options.routes.withdrawGrant(device, route.fence, businessId);
    const { worker, serial } = route.connection;
    if (withdrawn) this.#workers.get(worker)?.send('revokeGrant', { serial, businessId });
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

  #isReachable(route: Route | undefined, businessId: number): route is Route {
    if (route === undefined || !route.grants.includes(businessId)) return false;
    return this.#workers.has(route.connection.worker);
  }

  /** What a thread sent before it ended may be handled after its routes were withdrawn. */
  #refuseGoneWorker(worker: number): void {
    if (!this.#workers.has(worker)) throw new Error(`access worker ${worker} is gone`);
  }

  #refuseOverload(targets: number): void {
    const pending = this.#pending.targets;
    if (pending + targets > this.#options.maxPending) throw new OverloadedError(pending, this.#options.maxPending);
  }

  /** One item per worker, with the frame once. */
  #deliver(pushId: number, targets: readonly (Route | undefined)[], message: PushMessage): void {
    const byWorker = new Map<number, { indexes: number[]; serials: number[] }>();
    targets.forEach((route, index) => {
      if (route === undefined) return;
      const { worker, serial } = route.connection;
      const item = byWorker.get(worker) ?? { indexes: [], serials: [] };
      item.indexes.push(index);
      item.serials.push(serial);
      byWorker.set(worker, item);
    });
    const frame = encodeFrame({ type: FrameType.push, ...message });
    const { businessId } = message;
    for (const [worker, { indexes, serials }] of byWorker) {
      this.#workers.get(worker)?.deliver({ kind: 'push', pushId, businessId, indexes, serials, frame });
    }
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
      if (!this.#isReachable(route, businessId)) return;
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

function deviceOf({ app, deviceId }: RouteClaim): DeviceKey {
  return { app, deviceId };
}

/** A token refresh claims the route of the connection that holds it. */
function isSameConnection({ connection }: Route, worker: number, { serial }: RouteClaim): boolean {
  return connection.worker === worker && connection.serial === serial;
}

const DELIVERY_RESULTS: Readonly<Record<OutcomeCode, DeliveryResult>> = {
  [OutcomeCode.delivered]: { result: 'delivered' },
  [OutcomeCode.offline]: { result: 'offline' },
  [OutcomeCode.slow]: { result: 'dropped', reason: 'slow' },
  [OutcomeCode.closed]: { result: 'dropped', reason: 'closed' },
  [OutcomeCode.unknown]: { result: 'unknown' },
  [OutcomeCode.overloaded]: { result: 'unknown' },
};

function toDeliveryResult({ code }: TargetOutcome): DeliveryResult {
  return DELIVERY_RESULTS[code];
}
