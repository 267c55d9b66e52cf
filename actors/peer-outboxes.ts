/** One outbox per other node, from the first thing that is for it until the node is gone. */
import { PeerOutbox, type PeerOutboxPorts } from './peer-outbox.js';

/** How often it is looked whether nodes are gone. */
const LOOK_EVERY_MS = 500;

interface Entry {
  readonly outbox: PeerOutbox;
  /** Whether it has been a live node since: one that was never heard of may still turn out to be one. */
  wasLive: boolean;
  readonly sinceMs: number;
}

/** Never heard of for this long, it is forgotten as well. */
const STRANGER_MS = 30_000;

export class PeerOutboxes {
  readonly #ports: PeerOutboxPorts;
  readonly #outboxes = new Map<string, Entry>();
  #lookedAtMs = 0;
  #nowMs = 0;

  constructor(ports: PeerOutboxPorts) {
    this.#ports = ports;
  }

  of(incarnation: string): PeerOutbox {
    let entry = this.#outboxes.get(incarnation);
    if (entry === undefined) {
      const outbox = new PeerOutbox(incarnation, this.#ports);
      entry = { outbox, wasLive: false, sinceMs: this.#nowMs };
      this.#outboxes.set(incarnation, entry);
    }
    return entry.outbox;
  }

  find(incarnation: string): PeerOutbox | undefined {
    return this.#outboxes.get(incarnation)?.outbox;
  }

  /** Closes the outboxes of nodes that are gone. @returns the numbers of their workers */
  forgetGone(nowMs: number): number[] {
    this.#nowMs = nowMs;
    if (nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return [];
    this.#lookedAtMs = nowMs;
    const gone: number[] = [];
    for (const [incarnation, entry] of this.#outboxes) {
      if (this.#ports.peers.standing(incarnation) !== 'gone') entry.wasLive = true;
      else if (entry.wasLive || nowMs - entry.sinceMs > STRANGER_MS) gone.push(...this.#forget(incarnation, entry));
    }
    return gone;
  }

  close(): void {
    for (const [incarnation, entry] of this.#outboxes) this.#forget(incarnation, entry);
  }

  #forget(incarnation: string, { outbox }: Entry): number[] {
    this.#outboxes.delete(incarnation);
    outbox.close();
    return [...outbox.workers()].map(({ number }) => number);
  }
}
