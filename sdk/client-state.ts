/**
 * Where a client stands, as a union, one table of moves and the one function through which every change passes.
 * No timers and no I/O here.
 *
 * `online` leads to the dialling states when a GOAWAY was followed: the new link was already being made while
 * the old one served, and the old one ended first.
 */
import { IllegalStateError } from './errors.js';

/**
 * - `idle`           made, `connect` not yet called
 * - `bootstrapping`  asks the control layer for a token and access points
 * - `connecting`     opens a link to an access point
 * - `handshaking`    the link is open, CONNECT is sent, CONNACK awaited
 * - `online`         authenticated; requests and pushes flow
 * - `waiting`        until the next attempt
 * - `closed`         `close` was called or the server said to stay away; only `connect` leaves it
 */
export type ClientState = 'idle' | 'bootstrapping' | 'connecting' | 'handshaking' | 'online' | 'waiting' | 'closed';

const NEXT: Record<ClientState, readonly ClientState[]> = {
  idle: ['bootstrapping', 'connecting', 'closed'],
  bootstrapping: ['connecting', 'waiting', 'closed'],
  connecting: ['handshaking', 'waiting', 'closed'],
  handshaking: ['online', 'connecting', 'waiting', 'closed'],
  online: ['bootstrapping', 'connecting', 'handshaking', 'waiting', 'closed'],
  waiting: ['bootstrapping', 'connecting', 'closed'],
  closed: ['bootstrapping', 'connecting'],
};

/** @throws {IllegalStateError} when the move is not in the table */
export function move(from: ClientState, to: ClientState): ClientState {
  if (!NEXT[from].includes(to)) throw new IllegalStateError(from, to);
  return to;
}
