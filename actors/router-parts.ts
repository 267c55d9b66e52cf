/** The parts of a router, put together once: who answers whom, and what counts against the limit on what may wait. */
import { Status } from '../protocol/index.js';
import type { DeliveryItem } from './delivery-batch.js';
import { Destinations } from './destinations.js';
import { MalformedPeerMessageError, OverloadedError } from './errors.js';
import { FanOuts } from './fan-outs.js';
import { THIS_TURN } from './gatherer.js';
import { createIds } from './ids.js';
import { LocalGroups } from './local-groups.js';
import { Multicasts } from './multicasts.js';
import { OutcomeCode } from './outcome-batch.js';
import { PeerInbox } from './peer-inbox.js';
import { PeerOutboxes } from './peer-outboxes.js';
import { localReply, PendingCalls } from './pending-calls.js';
import { PendingPushes } from './pending-pushes.js';
import { PushSender } from './push-sender.js';
import { Pushes } from './pushes.js';
import { RelayedCalls } from './relayed-calls.js';
import { RelayedPushes } from './relayed-pushes.js';
import { RouteRegistrar } from './route-registrar.js';
import { RouterDevices } from './router-devices.js';
import { RouterGroups } from './router-groups.js';
import type { RouterFigures, RouterOptions } from './router-options.js';

/** Of messages that were not understood, one is logged in this time. */
const COMPLAIN_EVERY_MS = 1_000;

export class RouterParts {
  /** Numbers of destinations. */
  readonly newNumber = createIds();
  readonly pushes: PendingPushes;
  readonly calls: PendingCalls;
  readonly relayedPushes: RelayedPushes;
  readonly relayedCalls: RelayedCalls;
  readonly outboxes: PeerOutboxes;
  readonly destinations: Destinations;
  readonly sender: PushSender;
  readonly toDevices: Pushes;
  readonly multicasts: Multicasts;
  readonly fanOuts: FanOuts;
  readonly localGroups: LocalGroups;
  readonly groups: RouterGroups;
  readonly registrar: RouteRegistrar;
  readonly devices: RouterDevices;
  readonly inbox: PeerInbox;
  readonly #options: RouterOptions;
  #malformed = 0;
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RouterOptions) {
    this.#options = options;
    const { bus, incarnation, now, onError, onResult, onRoute, peers, routes } = options;
    const epochMs = () => options.epochMs?.() ?? Date.now();
    const refuseOverload = (targets: number) => this.refuseOverload(targets);
    const isOverloaded = (targets: number) => this.#pending() + targets > options.maxPending;
    const onMalformed = () => this.#complain();
    const nextPushId = createIds();
    const nextCallId = createIds();
    this.pushes = new PendingPushes({ nextId: nextPushId });
    this.calls = new PendingCalls(nextCallId);
    this.outboxes = new PeerOutboxes({
      origin: incarnation,
      bus,
      peers,
      gatherWindow: options.gatherWindow ?? THIS_TURN,
      epochMs,
      newNumber: this.newNumber,
      onError,
      onLost: (number, item, code) => this.#lost(number, item, code),
    });
    this.relayedPushes = new RelayedPushes({
      nextId: nextPushId,
      onOutcome: ({ origin, worker, pushId }, index, code) => {
        this.outboxes.of(origin).outcome(worker, pushId, index, code);
      },
    });
    this.relayedCalls = new RelayedCalls({
      nextId: nextCallId,
      onReply: ({ origin, worker }, frame) => this.outboxes.of(origin).reply(worker, frame),
    });
    const destinations = new Destinations(incarnation, peers, this.outboxes);
    this.destinations = destinations;
    this.sender = new PushSender({ pending: this.pushes, destinations, now, epochMs, onResult });
    this.toDevices = new Pushes({ routes, sender: this.sender, now, refuseOverload });
    const overloaded = () => new OverloadedError(this.#pending(), options.maxPending);
    this.multicasts = new Multicasts({ incarnation, bus, now, overloaded });
    this.localGroups = new LocalGroups({ incarnation, groups: options.groups, bus, destinations, onError });
    this.fanOuts = new FanOuts({
      destinations,
      groups: this.localGroups,
      now,
      epochMs,
      isOverloaded,
      answer: (origin, answer) => {
        if (origin === incarnation) this.multicasts.answered(answer);
        else this.outboxes.of(origin).multicast(answer);
      },
      onMalformed,
    });
    this.groups = new RouterGroups({
      incarnation,
      routes,
      groups: options.groups,
      bus,
      peers,
      destinations,
      local: this.localGroups,
      reach: (route, businessId) => this.sender.reach(route, businessId),
    });
    this.registrar = new RouteRegistrar({ incarnation, routes, destinations, epochMs, onError, onRoute });
    this.devices = new RouterDevices({ routes, destinations, sender: this.sender, registrar: this.registrar });
    this.inbox = new PeerInbox({
      ...{ destinations, outboxes: this.outboxes, pushes: this.pushes, calls: this.calls, groups: this.groups },
      ...{ relayedPushes: this.relayedPushes, relayedCalls: this.relayedCalls, now, epochMs, isOverloaded },
      onMulticastAnswer: (answer) => this.multicasts.answered(answer),
      onMalformed,
      onError,
    });
  }

  /** @throws {OverloadedError} so many targets more would be too many */
  refuseOverload(targets: number): void {
    const { maxPending } = this.#options;
    const pending = this.#pending();
    if (pending + targets > maxPending) throw new OverloadedError(pending, maxPending);
  }

  expire(nowMs: number): void {
    this.pushes.expire(nowMs);
    this.fanOuts.expire(nowMs);
    this.multicasts.expire(nowMs);
    this.relayedPushes.expire(nowMs);
    this.relayedCalls.expire(nowMs);
    for (const number of this.outboxes.forgetGone(nowMs)) this.gone(number);
  }

  /** A destination is gone: whoever waits for it is told. */
  gone(number: number): void {
    this.pushes.gone(number);
    this.calls.gone(number);
    this.fanOuts.gone(number);
    this.relayedPushes.gone(number);
    this.relayedCalls.gone(number);
  }

  figures(): RouterFigures {
    return { pending: this.#pending(), backlog: this.registrar.backlog, malformed: this.#malformed };
  }

  stop(): void {
    this.registrar.stop();
    this.localGroups.stop();
    this.outboxes.close();
  }

  #pending(): number {
    const own = this.pushes.targets + this.calls.size + this.multicasts.size;
    return own + this.fanOuts.targets + this.relayedPushes.targets + this.relayedCalls.size;
  }

  #lost(number: number, item: DeliveryItem, code: OutcomeCode): void {
    if (item.kind === 'push') {
      const { pushId } = item;
      for (const index of item.indexes) this.pushes.settle({ pushId, index, code, members: 0 }, number);
    } else if (item.kind === 'call') {
      this.calls.settle(item.callId, localReply(Status.unavailable, CALL_REASONS[code] ?? 'connection lost'), number);
    }
  }

  #complain(): void {
    this.#malformed += 1;
    const nowMs = this.#options.now();
    if (nowMs - this.#complainedAtMs < COMPLAIN_EVERY_MS) return;
    this.#complainedAtMs = nowMs;
    this.#options.onError(new MalformedPeerMessageError(this.#malformed));
  }
}

/** Why a call did not reach its device, as metadata `trunkline-reason`; of others it is not known. */
const CALL_REASONS: Readonly<Partial<Record<OutcomeCode, string>>> = {
  [OutcomeCode.offline]: 'offline',
  [OutcomeCode.unreachable]: 'unreachable',
};
