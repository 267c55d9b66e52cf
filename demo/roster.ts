/**
 * Who is here, as the messaging back-end sees it: devices that said hello, kept up to date by what presence says.
 * A device that went away stays listed for a while, because a reconnect takes a moment. Time comes in.
 */
import { isSameWayIn, type WayIn } from './way-in.js';

/** How long a device that is offline stays on the list. */
export const DEFAULT_FORGET_AFTER_MS = 30_000;

export interface Person {
  readonly deviceId: string;
  readonly name: string;
  readonly online: boolean;
  /** Undefined for a device that does not tell. */
  readonly wayIn: WayIn | undefined;
}

/** What a device says of itself. */
export type Hello = Pick<Person, 'deviceId' | 'name' | 'wayIn'>;

interface Entry extends Person {
  readonly lastSeenMs: number;
}

export class Roster {
  readonly #entries = new Map<string, Entry>();
  readonly #forgetAfterMs: number;

  constructor(forgetAfterMs = DEFAULT_FORGET_AFTER_MS) {
    this.#forgetAfterMs = forgetAfterMs;
  }

  /** In the order in which they first said hello. */
  list(): Person[] {
    return [...this.#entries.values()].map(({ lastSeenMs: _, ...person }) => person);
  }

  deviceIds(): string[] {
    return [...this.#entries.keys()];
  }

  nameOf(deviceId: string): string {
    return this.#entries.get(deviceId)?.name ?? deviceId;
  }

  /** @returns whether the list changed */
  hello(hello: Hello, nowMs: number): boolean {
    const before = this.#entries.get(hello.deviceId);
    this.#entries.set(hello.deviceId, { ...hello, online: true, lastSeenMs: nowMs });
    return !before?.online || before.name !== hello.name || !isSameWayIn(before.wayIn, hello.wayIn);
  }

  /**
   * Takes in what presence said of some devices.
   *
   * @returns whether the list changed
   */
  observe(online: ReadonlyMap<string, boolean>, nowMs: number): boolean {
    let changed = false;
    for (const entry of [...this.#entries.values()]) {
      const isOnline = online.get(entry.deviceId) ?? entry.online;
      if (isOnline) {
        this.#entries.set(entry.deviceId, { ...entry, online: true, lastSeenMs: nowMs });
      } else if (nowMs - entry.lastSeenMs >= this.#forgetAfterMs) {
        this.#entries.delete(entry.deviceId);
      } else {
        this.#entries.set(entry.deviceId, { ...entry, online: false });
      }
      changed ||= isOnline !== entry.online || !this.#entries.has(entry.deviceId);
    }
    return changed;
  }
}
