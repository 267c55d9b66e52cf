/**
 * One business's back-end: a pool of its own, so that a back-end which hangs holds nothing but its own connections.
 * HTTP/1.1 with one request per connection and no pipelining: a slow answer must not stand in front of a fast one.
 *
 * @see docs/integration.md
 */
import { Pool } from 'undici';
import { CircuitBreaker } from './circuit-breaker.js';
import { CloudEventWriter } from './cloud-event.js';
import { Exchange, type ExchangeContext } from './exchange.js';
import {
  checkOptions,
  type OutcomeKind,
  SYSTEM_CLOCK,
  type UpstreamCall,
  type UpstreamOptions,
  type UpstreamReply,
} from './options.js';
import { breakerOpen, CANCELLED, CLOSED, type OwnReply, QUEUE_FULL, refused } from './own-replies.js';
import { encodeMetadata } from './request-metadata.js';
import { RequestQueue } from './request-queue.js';

/** An answer's header section; Node's own default. */
const MAX_ANSWER_HEADER_BYTES = 16 * 1024;
/** A connection attempt that takes longer is given up even where the business's deadline is longer. */
const MAX_CONNECT_MS = 10_000;

/** Structurally the port `BackEnd` of the actors. */
export interface BackEndClient {
  /** Never rejects: whatever goes wrong is a status. */
  request(call: UpstreamCall): Promise<UpstreamReply>;
  /** Refuses new calls, lets accepted ones end, then destroys the connections. */
  close(): Promise<void>;
}

/** @throws {InvalidUpstreamOptionError} naming the field */
export function createBackEndClient(options: UpstreamOptions): BackEndClient {
  return new HttpBackEndClient(options, checkOptions(options));
}

class HttpBackEndClient implements BackEndClient {
  readonly #pool: Pool;
  readonly #context: ExchangeContext;
  readonly #onOutcome: UpstreamOptions['onOutcome'];
  #open = 0;
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: UpstreamOptions, url: URL) {
    this.#onOutcome = options.onOutcome;
    this.#pool = new Pool(url.origin, {
      connections: options.concurrency,
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
      connect: { timeout: Math.min(options.deadlineMs, MAX_CONNECT_MS) },
      // The exchange owns the deadline.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#context = {
      pool: this.#pool,
      path: url.pathname + url.search,
      queue: new RequestQueue(options),
      breaker: new CircuitBreaker(options.breaker),
      events: new CloudEventWriter(options),
      clock: options.clock ?? SYSTEM_CLOCK,
      deadlineMs: options.deadlineMs,
      maxResponseBytes: options.maxResponseBytes,
      onSettled: (reply, kind, startedMs) => this.#onSettled(reply, kind, startedMs),
    };
  }

  request(call: UpstreamCall): Promise<UpstreamReply> {
    const { breaker, clock, queue } = this.#context;
    const startedMs = clock.monotonicMs();
    if (this.#closing !== undefined) return this.#refuse(CLOSED, startedMs);
    if (call.signal.aborted) return this.#refuse(CANCELLED, startedMs);
    // It travels as `ce-subject`, and CloudEvents knows no empty attribute.
    if (call.method === '') return this.#refuse(refused('the method is empty'), startedMs);
    const metadata = encodeMetadata(call.metadata);
    if (typeof metadata === 'string') return this.#refuse(refused(metadata), startedMs);
    if (!breaker.isPassable(startedMs)) return this.#refuse(breakerOpen(breaker.retryAfterMs(startedMs)), startedMs);
    return new Promise((resolve) => {
      this.#open += 1;
      const exchange = new Exchange(this.#context, call, metadata, startedMs, resolve);
      if (!queue.enter(exchange)) exchange.giveUp(QUEUE_FULL);
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#pool.destroy();
  }

  #refuse(own: OwnReply, startedMs: number): Promise<UpstreamReply> {
    this.#report(own.reply, own.kind, startedMs);
    return Promise.resolve(own.reply);
  }

  #onSettled(reply: UpstreamReply, kind: OutcomeKind, startedMs: number): void {
    this.#open -= 1;
    if (this.#open === 0) this.#onIdle?.();
    this.#report(reply, kind, startedMs);
  }

  #report({ status }: UpstreamReply, kind: OutcomeKind, startedMs: number): void {
    this.#onOutcome?.({ status, latencyMs: this.#context.clock.monotonicMs() - startedMs, kind });
  }
}
