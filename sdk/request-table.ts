/**
 * Requests of this client that have no answer yet: queued until there is a connection with room, then matched to
 * RESPONSE frames in whatever order these come. A queued request outlives a reconnect; a sent one fails with the
 * connection that carried it, since nobody can tell whether it was handled.
 *
 * Everything that queues is bounded: by `maxQueued` here, by the server's in-flight limit on the wire, and each
 * request by its deadline.
 */
import { type ClientFrame, FrameType, type ResponseFrame } from '../protocol/index.js';
import type { Clock } from './clock.js';
import {
  type ClientClosedError,
  ConnectionLostError,
  DeadlineExceededError,
  RequestCancelledError,
  RequestQueueFullError,
} from './errors.js';

/** The part of a connection that carries requests. */
export interface RequestCarrier {
  readonly connack: { readonly maxInFlight: number };
  /** @throws {PayloadTooLargeError} */
  send(frame: ClientFrame): void;
}

export interface Call {
  /** Builds the frame at the moment of sending; what it throws is the caller's error. */
  readonly build: (requestId: number, deadlineMs: number) => ClientFrame;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** JOIN, LEAVE or AUTH: goes before requests and does not count against the server's in-flight limit. */
  readonly control?: boolean;
}

interface Entry {
  readonly requestId: number;
  readonly call: Call;
  readonly deadlineAtMs: number;
  readonly resolve: (frame: ResponseFrame) => void;
  readonly reject: (error: Error) => void;
  /** Undoes its timer and its abort listener. */
  release: () => void;
}

export class RequestTable {
  readonly #clock: Clock;
  readonly #maxQueued: number;
  readonly #sent = new Map<number, Entry>();
  /** Insertion order is sending order, control calls first. */
  readonly #queuedControl = new Set<Entry>();
  readonly #queued = new Set<Entry>();
  /** Given up here, not yet answered: the server counts them as open until it has answered. */
  readonly #cancelled = new Set<number>();
  /** REQUESTs that are open at the server. */
  #requestsOpen = 0;
  #carrier: RequestCarrier | undefined;
  #lastRequestId = 0;
  #onIdle: (() => void) | undefined;
  /** What is new waits for the next connection. */
  #isHeld = false;

  constructor(clock: Clock, maxQueued: number) {
    this.#clock = clock;
    this.#maxQueued = maxQueued;
  }

  /** @returns the RESPONSE, whatever its status; rejects with one of the errors imported above */
  call(call: Call): Promise<ResponseFrame> {
    if (call.signal?.aborted) return Promise.reject(new RequestCancelledError(call.signal.reason));
    const queue = call.control ? this.#queuedControl : this.#queued;
    if (queue.size >= this.#maxQueued) return Promise.reject(new RequestQueueFullError(this.#maxQueued));
    return new Promise((resolve, reject) => {
      const requestId = ++this.#lastRequestId;
      const deadlineAtMs = this.#clock.nowMs() + call.deadlineMs;
      const entry: Entry = { requestId, call, deadlineAtMs, resolve, reject, release: () => {} };
      this.#watch(entry);
      queue.add(entry);
      this.#sendQueued();
    });
  }

  /** A connection is there: sends what waits. */
  resume(carrier: RequestCarrier): void {
    this.#carrier = carrier;
    this.#sendQueued();
  }

  /** The connection is gone: what was sent fails, what was not waits on. */
  lost(): void {
    this.#carrier = undefined;
    this.#isHeld = false;
    this.#cancelled.clear();
    for (const entry of this.#sent.values()) this.#settle(entry).reject(new ConnectionLostError());
    this.#requestsOpen = 0;
  }

  /** The client is closed: everything fails. */
  closed(error: ClientClosedError): void {
    this.lost();
    for (const entry of [...this.#queuedControl, ...this.#queued]) this.#settle(entry).reject(error);
  }

  /** An answer came; one that nobody waits for any more is ignored. */
  answered(frame: ResponseFrame): void {
    const entry = this.#sent.get(frame.requestId);
    if (entry !== undefined) this.#settle(entry).resolve(frame);
    else if (this.#cancelled.delete(frame.requestId)) this.#requestsOpen -= 1;
    this.#sendQueued();
  }

  /**
   * Calls `callback` once, when nothing is on the wire; `undefined` takes that back. What is called from now on waits
   * until the connection is another one, or `release`.
   */
  whenIdle(callback: (() => void) | undefined): void {
    if (callback !== undefined) this.#isHeld = true;
    this.#onIdle = callback;
    this.#checkIdle();
  }

  /** The present connection goes on after all: sends what was held back. */
  release(): void {
    this.#isHeld = false;
    this.#sendQueued();
  }

  #watch(entry: Entry): void {
    const { signal, deadlineMs } = entry.call;
    const onAbort = (): void => this.#abandon(entry, new RequestCancelledError(signal?.reason));
    const cancelTimer = this.#clock.setTimer(
      () => this.#abandon(entry, new DeadlineExceededError(deadlineMs, this.#sent.has(entry.requestId))),
      deadlineMs,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    entry.release = () => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
  }

  #abandon(entry: Entry, error: Error): void {
    const { requestId, call } = entry;
    const isOpen = this.#sent.has(requestId) && !call.control;
    this.#settle(entry).reject(error);
    if (!isOpen) return;
    this.#cancelled.add(requestId);
    this.#requestsOpen += 1;
    this.#carrier?.send({ type: FrameType.cancel, requestId });
  }

  #sendQueued(): void {
    if (this.#isHeld) return;
    for (const entry of this.#queuedControl) {
      if (this.#carrier === undefined) return;
      this.#send(entry, this.#carrier);
    }
    for (const entry of this.#queued) {
      if (this.#carrier === undefined || this.#requestsOpen >= this.#carrier.connack.maxInFlight) return;
      this.#send(entry, this.#carrier);
    }
  }

  #send(entry: Entry, carrier: RequestCarrier): void {
    this.#queuedControl.delete(entry);
    this.#queued.delete(entry);
    this.#sent.set(entry.requestId, entry);
    if (!entry.call.control) this.#requestsOpen += 1;
    try {
      carrier.send(entry.call.build(entry.requestId, Math.max(1, entry.deadlineAtMs - this.#clock.nowMs())));
    } catch (error) {
      this.#settle(entry).reject(error as Error);
    }
  }

  #settle(entry: Entry): Entry {
    if (this.#sent.delete(entry.requestId) && !entry.call.control) this.#requestsOpen -= 1;
    this.#queued.delete(entry);
    this.#queuedControl.delete(entry);
    entry.release();
    this.#checkIdle();
    return entry;
  }

  #checkIdle(): void {
    if (this.#sent.size > 0 || this.#onIdle === undefined) return;
    const callback = this.#onIdle;
    this.#onIdle = undefined;
    callback();
  }
}
