/**
 * Multicasts as the bus brings them, on each node that listens to the group: the PUSH frame is built once, each
 * access worker with members gets it, and what they say goes back as one answer.
 */
import { encodeFrame } from '../protocol/index.js';
import type { Destinations } from './destinations.js';
import type { BusMulticast } from './engine-ports.js';
import type { LocalGroups } from './local-groups.js';
import { decodeMulticast, type MulticastMessage } from './multicast-body.js';
import { type Outcome, OutcomeCode } from './outcome-batch.js';
import type { MulticastAnswer } from './peer-batch.js';
import { PendingPushes, type TargetOutcome } from './pending-pushes.js';
import type { WorkerOutbox } from './worker-outbox.js';

/** Sooner than the node it came from stops waiting, so that what did answer is counted there. */
const UNANSWERED_AFTER_MS = 1_500;

export interface FanOutPorts {
  readonly destinations: Destinations;
  readonly groups: LocalGroups;
  readonly now: () => number;
  readonly epochMs: () => number;
  /** Whether so many targets more would be too many. */
  isOverloaded(targets: number): boolean;
  answer(origin: string, answer: MulticastAnswer): void;
  /** It is no multicast of this version. */
  onMalformed(): void;
}

export class FanOuts {
  readonly #ports: FanOutPorts;
  readonly #pending = new PendingPushes({ unknownAfterMs: UNANSWERED_AFTER_MS });

  constructor(ports: FanOutPorts) {
    this.#ports = ports;
  }

  /** Workers that have not answered. */
  get targets(): number {
    return this.#pending.targets;
  }

  receive(multicast: BusMulticast): void {
    const { businessId, group, body } = multicast;
    const message = decodeMulticast(body);
    if (message === undefined || (message.kind === 'message' && message.push.businessId !== businessId)) {
      return this.#ports.onMalformed();
    }
    if (message.kind === 'dissolve') return this.#ports.groups.dissolve(businessId, group);
    this.#fanOut(message, multicast);
  }

  settle(outcome: Outcome, destination: number): void {
    this.#pending.settle(outcome, destination);
  }

  expire(nowMs: number): void {
    this.#pending.expire(nowMs);
  }

  gone(destination: number): void {
    this.#pending.gone(destination);
  }

  #fanOut({ origin, id, flags, ttlMs, push }: MulticastMessage, { businessId, group, offset }: BusMulticast): void {
    const { answer, destinations, epochMs, groups, isOverloaded, now } = this.#ports;
    const workers: WorkerOutbox[] = [];
    for (const worker of groups.workers(businessId, group)) {
      const outbox = destinations.local(worker);
      if (outbox !== undefined) workers.push(outbox);
    }
    const count = workers.length;
    if (count === 0) return answer(origin, { id, workers: 0, members: 0, unanswered: 0, overloaded: 0 });
    if (isOverloaded(count)) {
      return answer(origin, { id, workers: count, members: 0, unanswered: count, overloaded: count });
    }
    const frame = encodeFrame({ ...push, multicast: { group, offset } });
    const expiresAtMs = ttlMs === 0 ? 0 : epochMs() + ttlMs;
    const numbers = workers.map(({ number }) => number);
    const { pushId, outcomes } = this.#pending.begin(numbers, now());
    for (const worker of workers) {
      worker.deliver({ kind: 'multicast', pushId, businessId, flags, expiresAtMs, group, offset, frame });
    }
    void outcomes.then((reached) => answer(origin, summary(id, reached)));
  }
}

/** Outcomes of a multicast on one worker that leave nothing open. */
const SETTLED: ReadonlySet<OutcomeCode> = new Set([OutcomeCode.delivered, OutcomeCode.expired]);

function summary(id: number, reached: readonly TargetOutcome[]): MulticastAnswer {
  let members = 0;
  let unanswered = 0;
  let overloaded = 0;
  for (const outcome of reached) {
    members += outcome.members;
    if (!SETTLED.has(outcome.code)) unanswered += 1;
    if (outcome.code === OutcomeCode.overloaded) overloaded += 1;
  }
  return { id, workers: reached.length, members, unanswered, overloaded };
}
