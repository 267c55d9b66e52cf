/**
 * POSTs connection events to a business's back-end, one attempt at a time; what is worth another attempt, and when, is
 * the caller's to decide. It has a pool of its own, so that events and requests never wait for each other.
 *
 * @see docs/integration.md, "Connection events"
 */
import { type Dispatcher, Pool } from 'undici';
import { encodeHeaderValue, type HeaderMap } from '../protocol/index.js';
import { type ConnectionEvent, writeConnectionEvent } from './connection-event.js';
import { MAX_TIMER_MS } from './options.js';
import { Signer } from './signature.js';

export interface EventSenderOptions {
  /** Name of the business, as `ce-business` tells it. */
  readonly business: string;
  /** Where every event is POSTed. */
  readonly url: string;
  readonly signingSecret: string;
  /** Attempts under way at once, each on a connection of its own. */
  readonly connections: number;
  /** The longest an attempt may take. */
  readonly deadlineMs: number;
  /** Milliseconds since the Unix epoch; the system's clock by default. */
  readonly now?: (() => number) | undefined;
}

/**
 * - `delivered`  a 2xx
 * - `refused`    an answer that another attempt would not change: 3xx, 501, and 4xx but 408 and 429
 * - `failed`     no answer in time, or 408, 429, 5xx; `retryAfterMs` when the back-end named a time
 */
export type SendResult =
  | { readonly result: 'delivered' | 'refused' }
  | { readonly result: 'failed'; readonly retryAfterMs: number };

export interface EventSender {
  /** Never rejects. */
  send(event: ConnectionEvent): Promise<SendResult>;
  /** Cuts what is under way. */
  destroy(): Promise<void>;
}

/** An answer's body is thrown away; one that goes on beyond this ends with its connection. */
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_ANSWER_HEADER_BYTES = 16 * 1024;
const MAX_CONNECT_MS = 10_000;
/** The longest a back-end may put the next attempt off. */
const MAX_RETRY_AFTER_MS = 60_000;

const FAILED: SendResult = Object.freeze({ result: 'failed', retryAfterMs: 0 });
const GIVEN_UP = new Error('attempt given up');

export function createEventSender(options: EventSenderOptions): EventSender {
  const { connections, now = Date.now } = options;
  const business = encodeHeaderValue(options.business);
  const deadlineMs = Math.min(options.deadlineMs, MAX_TIMER_MS);
  const url = new URL(options.url);
  const path = url.pathname + url.search;
  const signer = new Signer(options.signingSecret);
  const pool = new Pool(url.origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
    connect: { timeout: Math.min(deadlineMs, MAX_CONNECT_MS) },
    // The attempt owns the deadline.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    send: (event) =>
      new Promise((resolve) => {
        const attempt = new Attempt(deadlineMs, resolve);
        const headers = writeConnectionEvent(event, business, signer, now());
        pool.dispatch({ path, method: 'POST', headers, body: null }, attempt);
      }),
    destroy: () => pool.destroy(),
  };
}

/** Settles when the answer is whole, since only then its connection is free again; a verdict that stands is kept. */
class Attempt implements Dispatcher.DispatchHandler {
  readonly #resolve: (result: SendResult) => void;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #verdict: SendResult | undefined;
  #isLate = false;
  #bodyBytes = 0;

  constructor(deadlineMs: number, resolve: (result: SendResult) => void) {
    this.#resolve = resolve;
    this.#timer = setTimeout(() => this.#giveUp(), deadlineMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Given up while undici was still connecting.
    if (this.#isLate) throw GIVEN_UP;
    this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, httpStatus: number, headers: HeaderMap): void {
    if (httpStatus >= 200) this.#verdict = judge(httpStatus, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > MAX_ANSWER_BYTES) controller.abort(GIVEN_UP);
  }

  onResponseEnd(): void {
    this.#settle();
  }

  onResponseError(): void {
    this.#settle();
  }

  #giveUp(): void {
    this.#isLate = true;
    this.#controller?.abort(GIVEN_UP);
    this.#settle();
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#resolve(this.#verdict ?? FAILED);
  }
}

function judge(httpStatus: number, headers: HeaderMap): SendResult {
  if (httpStatus < 300) return { result: 'delivered' };
  const isTransient = httpStatus === 408 || httpStatus === 429 || (httpStatus >= 500 && httpStatus !== 501);
  return isTransient ? { result: 'failed', retryAfterMs: retryAfterMs(headers['retry-after']) } : { result: 'refused' };
}

/** Seconds; a date is as good as nothing said. */
function retryAfterMs(header: HeaderMap[string]): number {
  if (typeof header !== 'string' || !/^\d{1,6}$/.test(header)) return 0;
  return Math.min(Number(header) * 1000, MAX_RETRY_AFTER_MS);
}
