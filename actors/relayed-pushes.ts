/**
 * Pushes of other nodes on their way to the devices of this one: each has an id of this node while its outcomes come
 * in, and they go back under the one it came with. Nobody is told when one ends unanswered, since its own node
 * watches its time.
 */
import type { PushItem } from './delivery-batch.js';
import { type Outcome, OutcomeCode } from './outcome-batch.js';
import { UNKNOWN_AFTER_MS } from './pending-pushes.js';

export interface RelayedPush {
  /** Incarnation of the node it came from. */
  readonly origin: string;
  /** The worker that answers, as the origin knows it. */
  readonly worker: number;
  readonly pushId: number;
}

interface Relayed extends RelayedPush {
  readonly destination: number;
  readonly indexes: readonly number[];
  readonly sinceMs: number;
  left: number;
}

export interface RelayedPushesPorts {
  readonly nextId: () => number;
  onOutcome(push: RelayedPush, index: number, code: OutcomeCode): void;
}

export class RelayedPushes {
  readonly #ports: RelayedPushesPorts;
  /** By the id here, in the order they began, which is the order they end in. */
  readonly #pushes = new Map<number, Relayed>();
  #targets = 0;

  constructor(ports: RelayedPushesPorts) {
    this.#ports = ports;
  }

  /** Targets that wait for an outcome. */
  get targets(): number {
    return this.#targets;
  }

  /** @returns the item under an id of this node */
  begin(item: PushItem, from: Omit<RelayedPush, 'pushId'>, destination: number, nowMs: number): PushItem {
    const { pushId, indexes } = item;
    // Nobody wants to know.
    if (pushId === 0) return item;
    const id = this.#ports.nextId();
    this.#targets += indexes.length;
    this.#pushes.set(id, { ...from, pushId, destination, indexes, sinceMs: nowMs, left: indexes.length });
    return { ...item, pushId: id };
  }

  /** @param destination who says so */
  settle({ pushId: id, index, code }: Outcome, destination: number): void {
    const push = this.#pushes.get(id);
    if (push?.destination !== destination) return;
    this.#ports.onOutcome(push, index, code);
    push.left -= 1;
    this.#targets -= 1;
    if (push.left === 0) this.#pushes.delete(id);
  }

  expire(nowMs: number): void {
    for (const [id, push] of this.#pushes) {
      if (nowMs - push.sinceMs < UNKNOWN_AFTER_MS) return;
      this.#end(id, push);
    }
  }

  /** The access worker is gone. What it had answered before stands: its node takes the first word. */
  gone(destination: number): void {
    for (const [id, push] of this.#pushes) {
      if (push.destination !== destination) continue;
      for (const index of push.indexes) this.#ports.onOutcome(push, index, OutcomeCode.unknown);
      this.#end(id, push);
    }
  }

  #end(id: number, push: Relayed): void {
    this.#pushes.delete(id);
    this.#targets -= push.left;
  }
}
