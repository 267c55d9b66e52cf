/**
 * Calls that wait for a device's answer. The time of a call is kept here, next to whoever waits for it, so that it
 * ends on time even when the access worker says nothing.
 */
import { Status } from '../protocol/index.js';
import { createIds } from './ids.js';
import type { DeviceReply } from './routing-service.js';

export interface CallOptions {
  /** Number of the destination that has the device. */
  readonly destination: number;
  readonly deadlineMs: number;
  /** The caller gave up. */
  readonly signal: AbortSignal | undefined;
  /** Nobody waits for this call any more, although the device may be at work on it. */
  readonly onGiveUp: (callId: number) => void;
}

interface PendingCall {
  readonly destination: number;
  readonly finish: (reply: DeviceReply) => void;
}

export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>();
  readonly #newId: () => number;

  /** @param newId where ids come from; whoever answers under the same ids shares it */
  constructor(newId: () => number = createIds()) {
    this.#newId = newId;
  }

  get size(): number {
    return this.#calls.size;
  }

  begin({ destination, deadlineMs, signal, onGiveUp }: CallOptions): { callId: number; reply: Promise<DeviceReply> } {
    const callId = this.#nextId();
    const reply = new Promise<DeviceReply>((resolve) => {
      const finish = (answer: DeviceReply): void => {
        this.#calls.delete(callId);
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        resolve(answer);
      };
      const giveUp = (status: number, reason: string): void => {
        finish(localReply(status, reason));
        onGiveUp(callId);
      };
      const cancel = (): void => giveUp(Status.cancelled, 'the caller gave up');
      const timer = setTimeout(() => giveUp(Status.deadlineExceeded, 'no answer in time'), deadlineMs);
      signal?.addEventListener('abort', cancel, { once: true });
      this.#calls.set(callId, { destination, finish });
    });
    return { callId, reply };
  }

  /** @param destination who says so. @returns whether the call is one of these */
  settle(callId: number, reply: DeviceReply, destination: number): boolean {
    const call = this.#calls.get(callId);
    if (call === undefined) return false;
    if (call.destination === destination) call.finish(reply);
    return true;
  }

  gone(destination: number): void {
    for (const call of [...this.#calls.values()]) {
      if (call.destination === destination) call.finish(localReply(Status.unavailable, 'connection lost'));
    }
  }

  #nextId(): number {
    for (;;) {
      const id = this.#newId();
      if (!this.#calls.has(id)) return id;
    }
  }
}

/** What is answered in the device's stead. @param reason metadata `trunkline-reason` */
export function localReply(status: number, reason: string): DeviceReply {
  return { status, metadata: { 'trunkline-reason': reason }, payload: new Uint8Array(0) };
}
