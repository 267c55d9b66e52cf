/**
 * What the engine could not be told because it was away, kept and tried again until it is there: routes to be
 * released, routes to be restored, and claims of which it is not known whether they arrived. The last word for a
 * device counts. Bounded, so that an engine that stays away for long costs routes that read as online until their
 * node is swept, never the node its memory.
 */
import type { DeviceRoute, NewRoute } from './engine-ports.js';
import { EngineUnavailableError } from './errors.js';
import type { DeviceKey } from './ports.js';
import type { RouteRelease } from './router-link.js';

const RETRY_MS = 1_000;
const PART = 500;
const MAX_ENTRIES = 200_000;

/** Each rejects with what it could not do left undone. */
export interface RouteBacklogPorts {
  release(releases: readonly RouteRelease[]): Promise<void>;
  restore(routes: readonly DeviceRoute[]): Promise<void>;
  /** Releases those claims that did arrive. */
  takeBack(claims: readonly NewRoute[]): Promise<void>;
  onError(error: unknown): void;
}

export class RouteBacklog {
  readonly #ports: RouteBacklogPorts;
  readonly #releases = new Map<string, RouteRelease>();
  readonly #restores = new Map<string, DeviceRoute>();
  readonly #doubts = new Map<string, NewRoute>();
  #timer: NodeJS.Timeout | undefined;
  #isTrying = false;
  #isStopped = false;
  /** Entries that found no room. */
  #dropped = 0;

  constructor(ports: RouteBacklogPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#releases.size + this.#restores.size + this.#doubts.size;
  }

  get dropped(): number {
    return this.#dropped;
  }

  keepReleases(releases: readonly RouteRelease[]): void {
    for (const release of releases) {
      const restore = this.#restores.get(keyOf(release));
      if (restore !== undefined && restore.fence <= release.fence) this.#restores.delete(keyOf(release));
      this.#keep(this.#releases, release);
    }
  }

  keepRestores(routes: readonly DeviceRoute[]): void {
    for (const route of routes) this.#keep(this.#restores, route);
  }

  keepDoubts(claims: readonly NewRoute[]): void {
    for (const claim of claims) this.#keep(this.#doubts, claim);
  }

  /** A session has ended: what was still to be restored of it is not any more. */
  forgetRestore(release: RouteRelease): void {
    const restore = this.#restores.get(keyOf(release));
    if (restore?.fence === release.fence) this.#restores.delete(keyOf(release));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #keep<Entry extends DeviceKey>(map: Map<string, Entry>, entry: Entry): void {
    const key = keyOf(entry);
    if (!map.has(key) && this.size >= MAX_ENTRIES) {
      this.#dropped += 1;
      return;
    }
    map.set(key, entry);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isTrying || this.#isStopped || this.size === 0) return;
    this.#timer = setTimeout(() => void this.#tryAll(), RETRY_MS).unref();
  }

  async #tryAll(): Promise<void> {
    this.#timer = undefined;
    this.#isTrying = true;
    try {
      await drain(this.#releases, (part) => this.#ports.release(part));
      await drain(this.#restores, (part) => this.#ports.restore(part));
      await drain(this.#doubts, (part) => this.#ports.takeBack(part));
    } catch (error) {
      // One that the engine refuses would be refused for ever; it went with its part.
      if (!(error instanceof EngineUnavailableError)) this.#ports.onError(error);
    } finally {
      this.#isTrying = false;
      this.#schedule();
    }
  }
}

/** Part by part; a part that fails because the engine is away is put back, unless something newer was said meanwhile. */
async function drain<Entry>(map: Map<string, Entry>, work: (part: readonly Entry[]) => Promise<void>): Promise<void> {
  while (map.size > 0) {
    const part = [...map].slice(0, PART);
    for (const [key] of part) map.delete(key);
    try {
      await work(part.map(([, entry]) => entry));
    } catch (error) {
      if (error instanceof EngineUnavailableError)
        for (const [key, entry] of part) if (!map.has(key)) map.set(key, entry);
      throw error;
    }
  }
}

function keyOf({ app, deviceId }: DeviceKey): string {
  return `${app}\0${deviceId}`;
}
