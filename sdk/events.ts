/**
 * What a client tells its application, a union told apart by `type`, and the hub that hands it out. Listeners
 * run at once and in order; one that throws becomes an `error` event and disturbs nobody else.
 */
import type { ReconnectAdvice } from '../protocol/index.js';
import type { ClientState } from './client-state.js';
import type { Why } from './racing/ranking.js';
import type { Protocol } from './transports/connector.js';

export type ClientEvent =
  | { readonly type: 'state'; readonly state: ClientState; readonly previous: ClientState }
  /** Logged in; told again when a GOAWAY moved the client to another connection. */
  | {
      readonly type: 'online';
      readonly connectionId: string;
      readonly accessPoint: string;
      readonly protocol: Protocol;
      /** As the bootstrap named it; undefined when a `credentials` port did not say. */
      readonly deviceId: string | undefined;
      /** Names of the granted businesses. */
      readonly businesses: readonly string[];
      /** Why this access point and protocol. */
      readonly why: Why;
      /** Candidates that failed before this one was let in. */
      readonly losers: number;
    }
  /** A connection ended or an attempt failed. */
  | {
      readonly type: 'offline';
      /** Close code; undefined when the link ended without one. */
      readonly code: number | undefined;
      readonly reason: string;
      readonly advice: ReconnectAdvice;
      /** Delay until the next attempt; undefined when there will be none. */
      readonly nextAttemptMs: number | undefined;
    }
  /** The server asks to move; this client will in `moveInMs`, serving meanwhile. */
  | { readonly type: 'goaway'; readonly reason: number; readonly windowMs: number; readonly moveInMs: number }
  /** Pushes were lost, or (reason 2) a membership ended. `group` is empty for pushes to the device itself. */
  | {
      readonly type: 'gap';
      readonly business: string;
      readonly group: string;
      readonly dropped: number;
      /** A `GapReason`. */
      readonly reason: number;
    }
  /** A group could not be joined again after a reconnect; without `retrying` the membership is over. */
  | {
      readonly type: 'rejoin-failed';
      readonly business: string;
      readonly group: string;
      readonly error: Error;
      readonly retrying: boolean;
    }
  | { readonly type: 'token-refreshed'; readonly expiresAtMs: number }
  /** Something failed that no caller waits for; the client goes on by itself. */
  | { readonly type: 'error'; readonly error: Error };

export type ClientEventType = ClientEvent['type'];
export type ClientEventOf<T extends ClientEventType> = Extract<ClientEvent, { type: T }>;

export class EventHub {
  readonly #listeners = new Map<string, Set<(event: ClientEvent) => void>>();

  /** @returns takes the listener off again */
  on<T extends ClientEventType>(type: T, listener: (event: ClientEventOf<T>) => void): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    // A fresh function each time: the same listener given twice is called twice and taken off one at a time.
    const entry = (event: ClientEvent): void => listener(event as ClientEventOf<T>);
    listeners.add(entry);
    return () => listeners.delete(entry);
  }

  emit(event: ClientEvent): void {
    for (const listener of [...(this.#listeners.get(event.type) ?? [])]) {
      this.guard(() => listener(event), event.type === 'error');
    }
  }

  /** Runs an application's callback; what it throws is told as an event, or to the platform if that fails too. */
  guard(callback: () => void, isErrorListener = false): void {
    try {
      callback();
    } catch (thrown) {
      if (isErrorListener)
        queueMicrotask(() => {
          throw thrown;
        });
      else this.emit({ type: 'error', error: asError(thrown) });
    }
  }
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
