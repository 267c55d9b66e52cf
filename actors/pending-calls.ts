/**
 * Calls that wait for a device's answer. The time of a call is kept here, next to whoever waits for it, so that it
 * ends on time even when the access worker says nothing.
 */
import { Status } from '../protocol/index.js';
import type { DeviceReply } from './routing-service.js';

const MAX_CALL_ID = 0xffff_ffff;

export interface CallOptions {
  /** The access worker that has the device. */
  readonly worker: number;
  readonly deadlineMs: number;
  /** The caller gave up. */
  readonly signal: AbortSignal | undefined;
  /** Nobody waits for this call any more, although the device may be at work on it. */
  readonly onGiveUp: (callId: number) => void;
}

interface PendingCall {
  readonly worker: number;
  readonly finish: (reply: DeviceReply) => void;
}

export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>();
  #lastId = 0;

  get size(): number {
    return this.#calls.size;
  }

  begin({ worker, deadlineMs, signal, onGiveUp }: CallOptions): { callId: number; reply: Promise<DeviceReply> } {
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
      this.#calls.set(callId, { worker, finish });
    });
    return { callId, reply };
  }

  /** @param worker who says so */
  settle(callId: number, reply: DeviceReply, worker: number): void {
    const call = this.#calls.get(callId);
    if (call?.worker === worker) call.finish(reply);
  }

  workerGone(worker: number): void {
    for (const call of [...this.#calls.values()]) {
      if (call.worker === worker) call.finish(localReply(Status.unavailable, 'connection lost'));
    }
  }

  #nextId(): number {
    do {
      this.#lastId = this.#lastId === MAX_CALL_ID ? 1 : this.#lastId + 1;
    } while (this.#calls.has(this.#lastId));
    return this.#lastId;
  }
}

/** What is answered in the device's stead. @param reason metadata `trunkline-reason` */
export function localReply(status: number, reason: string): DeviceReply {
  return { status, metadata: { 'trunkline-reason': reason }, payload: new Uint8Array(0) };
}
