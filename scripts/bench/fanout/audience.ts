/**
 * Many connections that hear the same messages, and a way to send one to all: either the members of a group on a
 * node, pushed to through the HTTP bridge, or the connections of a bare server, fed over one TCP connection.
 */
import type { Fleet } from '../load/fleet.js';

export interface Audience {
  /** Of the server's process. */
  readonly pid: number;
  readonly fleet: Fleet;
  /** Sends one payload to every member. */
  publish(payload: Buffer): void;
  /** Publications that were not answered, or with an error; `undefined` when all was well. */
  failure(): string | undefined;
  close(): Promise<void>;
}
