/**
 * One call from its arrival to its reply: it waits in the queue, is undici's response handler, listens to its
 * signal and its deadline. All in one object because this is the hot path: undici's `request` would add a stream, a
 * promise and an async resource per call, which together cost more than everything here.
 *
 * ```
 * waiting ──► exchanging ──► settled        settled: the reply is given, once
 *    └──────────────────────►               the slot is held until undici has let go as well
 * ```
 */
import { type Dispatcher, errors } from 'undici';
import type { HeaderMap } from '../protocol/index.js';
import { type AnswerHead, readAnswerHead } from './answer-head.js';
import type { CircuitBreaker, Ticket } from './circuit-breaker.js';
import type { CloudEventWriter } from './cloud-event.js';
import type { Clock, OutcomeKind, UpstreamCall, UpstreamReply } from './options.js';
import { badAnswer, breakerOpen, CANCELLED, type OwnReply, TIMED_OUT, UNREACHABLE } from './own-replies.js';
import type { RequestMetadata } from './request-metadata.js';
import type { QueueEntry, RequestQueue } from './request-queue.js';

/** What all exchanges of one back-end share. */
export interface ExchangeContext {
  readonly pool: Dispatcher;
  /** Path and query of the business's URL. */
  readonly path: string;
  readonly queue: RequestQueue;
  readonly breaker: CircuitBreaker;
  readonly events: CloudEventWriter;
  readonly clock: Clock;
  /** The business's limit. */
  readonly deadlineMs: number;
  readonly maxResponseBytes: number;
  /** Every exchange, once, just before its reply. */
  onSettled(reply: UpstreamReply, kind: OutcomeKind, startedMs: number): void;
}

/** Handed to undici when an exchange is given up; one for all, because a stack trace per call is not free. */
const GIVEN_UP = new Error('exchange given up');

export class Exchange implements QueueEntry, Dispatcher.DispatchHandler {
  previous: QueueEntry | undefined = undefined;
  next: QueueEntry | undefined = undefined;

  readonly #context: ExchangeContext;
  readonly #call: UpstreamCall;
  readonly #metadata: RequestMetadata;
  readonly #resolve: (reply: UpstreamReply) => void;
  readonly #startedMs: number;
  readonly #deadlineMs: number;
  readonly #timer: NodeJS.Timeout;
  #settled = false;
  #ticket: Ticket | undefined = undefined;
  #exchangingMs = 0;
  #controller: Dispatcher.DispatchController | undefined = undefined;
  #httpStatus = 0;
  #head: AnswerHead | undefined = undefined;
  #body: Buffer | undefined = undefined;
  #more: Buffer[] | undefined = undefined;
  #bodyBytes = 0;

  constructor(
    context: ExchangeContext,
    call: UpstreamCall,
    metadata: RequestMetadata,
    startedMs: number,
    resolve: (reply: UpstreamReply) => void,
  ) {
    this.#context = context;
    this.#call = call;
    this.#metadata = metadata;
    this.#resolve = resolve;
    this.#startedMs = startedMs;
    this.#deadlineMs = Math.min(call.deadlineMs || context.deadlineMs, context.deadlineMs);
    this.#timer = setTimeout(onDeadline, this.#deadlineMs, this);
    call.signal.addEventListener('abort', this);
  }

  /** The signal's event. */
  handleEvent(): void {
    this.giveUp(CANCELLED);
  }

  /** Ends the call with a reply of our own, wherever it is. Does nothing once it is settled. */
  giveUp(own: OwnReply): void {
    if (this.#settled) return;
    this.#context.queue.leave(this);
    this.#settle(own.reply, own.kind);
    this.#controller?.abort(GIVEN_UP);
  }

  /** The queue's turn. @returns false when the breaker has opened meanwhile */
  start(): boolean {
    const { breaker, clock, events, pool, path } = this.#context;
    const nowMs = clock.monotonicMs();
    this.#ticket = breaker.admit(nowMs);
    if (this.#ticket === undefined) {
      this.giveUp(breakerOpen(breaker.retryAfterMs(nowMs)));
      return false;
    }
    this.#exchangingMs = nowMs;
    const leftMs = Math.max(1, Math.ceil(this.#startedMs + this.#deadlineMs - nowMs));
    const headers = events.write(this.#call, this.#metadata, clock.wallMs(), leftMs);
    pool.dispatch({ path, method: 'POST', headers, body: this.#call.payload }, this);
    return true;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Given up while undici was still connecting: throwing keeps the fresh connection, an abort would destroy it.
    if (this.#settled) throw GIVEN_UP;
    this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, httpStatus: number, headers: HeaderMap): void {
    if (httpStatus < 200 || this.#settled) return;
    this.#httpStatus = httpStatus;
    const head = readAnswerHead(httpStatus, headers, this.#context.maxResponseBytes);
    if (typeof head === 'string') this.giveUp(badAnswer(head));
    else this.#head = head;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > this.#context.maxResponseBytes) this.giveUp(badAnswer('the answer is too large'));
    else if (this.#body === undefined) this.#body = chunk;
    else if (this.#more === undefined) this.#more = [this.#body, chunk];
    else this.#more.push(chunk);
  }

  onResponseEnd(): void {
    const head = this.#head;
    if (head !== undefined && !this.#settled) {
      const payload = this.#more === undefined ? (this.#body ?? EMPTY) : Buffer.concat(this.#more);
      this.#settle({ status: head.status, metadata: head.metadata, payload }, 'answered');
    }
    this.#context.queue.release();
  }

  /** Also how undici lets go of an exchange that was given up. */
  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (!this.#settled) {
      const own = isBadAnswer(error) ? badAnswer('the answer is not in its form') : UNREACHABLE;
      this.#settle(own.reply, own.kind);
    }
    this.#context.queue.release();
  }

  #settle(reply: UpstreamReply, kind: OutcomeKind): void {
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#call.signal.removeEventListener('abort', this);
    if (this.#ticket !== undefined) this.#judge(this.#ticket, kind);
    this.#context.onSettled(reply, kind, this.#startedMs);
    this.#resolve(reply);
    this.#body = undefined;
    this.#more = undefined;
  }

  /** What this exchange says about the back-end: network failures, timeouts and 5xx count against it. */
  #judge(ticket: Ticket, kind: OutcomeKind): void {
    const { breaker, clock, deadlineMs } = this.#context;
    const nowMs = clock.monotonicMs();
    // A client that wants its answer within 1 ms must not be able to open the breaker for everybody else.
    const isTooShort = kind === 'timeout' && nowMs - this.#exchangingMs < deadlineMs / 2;
    if (kind === 'cancelled' || isTooShort) breaker.abandoned(ticket, nowMs);
    else if (kind === 'network' || kind === 'timeout' || this.#httpStatus === 0 || this.#httpStatus >= 500) {
      breaker.failed(ticket, nowMs);
    } else breaker.succeeded(ticket, nowMs);
  }
}

const EMPTY = new Uint8Array(0);

/** An answer that is not HTTP, or whose headers are more than we read. A cut-off one is a network failure instead. */
function isBadAnswer(error: Error): boolean {
  if (error instanceof errors.HeadersOverflowError) return true;
  // undici gives a parser error no code; llhttp's words are all that tell a cut from a fault.
  return error instanceof errors.HTTPParserError && !error.message.includes('Invalid EOF state');
}

function onDeadline(exchange: Exchange): void {
  exchange.giveUp(TIMED_OUT);
}
