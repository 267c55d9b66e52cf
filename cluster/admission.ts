/**
 * Who may come in, counted over all threads of a node: links a second, links of the node, links of one network, and
 * logins. The main thread makes it and sets its limits, access workers ask it at every link and login.
 *
 * @see docs/limits.md, "Admission"; docs/decisions/0012-admission.md
 */
import { randomBytes } from 'node:crypto';
import type { LoginDoor } from '../actors/index.js';
import type { AdmissionRefusal, LinkGate } from '../transports/index.js';
import { networkHash } from './address-hash.js';
import { type AdmissionLimits, AdmissionTable, createAdmissionMemory, DOORWAY_LINKS } from './admission-table.js';

export type { AdmissionLimits };

/** The main thread's side. */
export class NodeAdmission {
  /** Handed to every access worker. */
  readonly shared: SharedArrayBuffer;
  readonly #table: AdmissionTable;

  constructor(workers: number, limits: AdmissionLimits) {
    const secret = randomBytes(8);
    this.shared = createAdmissionMemory(workers, [secret.readInt32LE(0), secret.readInt32LE(4)]);
    this.#table = new AdmissionTable(this.shared);
    this.#table.setLimits(limits);
  }

  /** Links of the node, strangers included. */
  get links(): number {
    return this.#table.links;
  }

  /** Logins of the node. */
  get logins(): number {
    return this.#table.logins;
  }

  reconfigure(limits: AdmissionLimits): void {
    this.#table.setLimits(limits);
  }

  /** The worker's thread has ended, and with it its links. */
  workerGone(worker: number): void {
    this.#table.clear(worker);
  }
}

/** One access worker's side. */
export class WorkerAdmission implements LinkGate, LoginDoor {
  readonly #table: AdmissionTable;
  readonly #worker: number;
  readonly #nowMs: () => number;

  /** @param nowMs milliseconds of a clock that all threads share */
  constructor(shared: SharedArrayBuffer, worker: number, nowMs = sharedClockMs) {
    this.#table = new AdmissionTable(shared);
    this.#worker = worker;
    this.#nowMs = nowMs;
  }

  /** Counts first and judges then, so that two threads that ask at once never let in one too many. */
  admit(remoteAddress: string): number | AdmissionRefusal {
    const table = this.#table;
    if (!table.takeToken(this.#nowMs())) return 'rate';
    const hash = networkHash(remoteAddress, table.key);
    const { connections, connectionsPerIp } = table.limits;
    table.addLink(this.#worker, hash, 1);
    if (table.links > connections + DOORWAY_LINKS) return this.#turnAway(hash, 'node-full');
    if (table.linksFrom(hash) > connectionsPerIp) return this.#turnAway(hash, 'ip-full');
    return hash;
  }

  release(ticket: number): void {
    this.#table.addLink(this.#worker, ticket, -1);
  }

  isFull(): boolean {
    return this.#table.logins >= this.#table.limits.connections;
  }

  enter(): boolean {
    this.#table.addLogin(this.#worker, 1);
    if (this.#table.logins <= this.#table.limits.connections) return true;
    this.leave();
    return false;
  }

  leave(): void {
    this.#table.addLogin(this.#worker, -1);
  }

  #turnAway(hash: number, reason: AdmissionRefusal): AdmissionRefusal {
    this.release(hash);
    return reason;
  }
}

/** Milliseconds of the system's monotonic clock, which `performance.now()` counts from each thread's own start. */
function sharedClockMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + Math.floor(nanoseconds / 1e6);
}
