/**
 * One bulk push under way: lines in, answers out, in the order of the lines. Three stages, each slowed by the next:
 *
 *   request ──> splitter ──> batches ──> router         read no further while the window is full
 *                               └─ answers, in order ──> response      the window is full while nobody reads
 *
 * The window counts lines whose answer the response has not taken, and their bytes.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { discardBody, type ProblemError } from '../../http/index.js';
import { RequestStalledError } from '../errors.js';
import type { RateLimits } from '../rate-limit.js';
import { type BatchPorts, errorBody, sendBatch } from './bulk-batch.js';
import type { Job, LineReader } from './bulk-line.js';
import { type Line, LineSplitter } from './line-splitter.js';

export const WINDOW_LINES = 1_024;
export const WINDOW_BYTES = 4 * 1024 * 1024;
/** Lines sent together. */
const BATCH_LINES = 256;
/** Without a line, and without an answer that somebody reads, for so long a stream ends. */
export const IDLE_MS = 60_000;

export interface BulkStreamOptions {
  readonly request: IncomingMessage;
  /** Its head is written. */
  readonly response: ServerResponse;
  readonly reader: LineReader;
  readonly maxLineBytes: number;
  readonly batch: Omit<BatchPorts, 'signal'>;
  readonly limits: RateLimits;
  readonly key: string;
  readonly idleMs?: number | undefined;
}

export class BulkStream {
  readonly #options: BulkStreamOptions;
  readonly #aborter = new AbortController();
  readonly #ports: BatchPorts;
  readonly #splitter: LineSplitter;
  readonly #idle: NodeJS.Timeout;
  #lines = 0;
  #bytes = 0;
  /** The last answer begun; writing in order is waiting for the one before. */
  #written: Promise<void> = Promise.resolve();
  #wake: () => void = () => {};
  /** Why it takes no more lines. */
  #ending: ProblemError | undefined;
  readonly #stopped: Promise<undefined>;
  #resolveStopped: (value: undefined) => void = () => {};

  constructor(options: BulkStreamOptions) {
    this.#options = options;
    this.#ports = { ...options.batch, signal: this.#aborter.signal };
    this.#splitter = new LineSplitter(options.maxLineBytes);
    this.#stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    const { idleMs = IDLE_MS } = options;
    this.#idle = setTimeout(() => this.#onIdle(idleMs), idleMs).unref();
  }

  /** Resolves when the stream is over, however it ended. */
  async run(): Promise<void> {
    const { request, response } = this.#options;
    response.once('close', () => {
      if (!response.writableFinished) this.#abort();
    });
    response.on('drain', () => this.#progress());
    try {
      await this.#read();
      if (!this.#isOver) await this.#takeAll(this.#splitter.flush());
    } catch {
      // The caller is gone; what was sent is sent.
      this.#abort();
    }
    await this.#written;
    clearTimeout(this.#idle);
    if (this.#aborter.signal.aborted) return;
    if (!request.complete) discardBody(request);
    response.end(this.#ending === undefined ? undefined : `{${errorBody(this.#ending).slice(1)}}\n`);
  }

  /** Takes no further line; those that were taken are answered, and a last line says why. */
  stop(why: ProblemError): void {
    this.#ending ??= why;
    this.#resolveStopped(undefined);
    this.#wake();
  }

  get #isOver(): boolean {
    return this.#ending !== undefined || this.#aborter.signal.aborted;
  }

  async #read(): Promise<void> {
    // To leave the loop must not end the connection: there are answers to come.
    const chunks = this.#options.request.iterator({ destroyOnReturn: false });
    while (!this.#isOver) {
      const next = await Promise.race([chunks.next(), this.#stopped]);
      if (next === undefined || next.done === true) return;
      this.#progress();
      await this.#takeAll(this.#splitter.push(next.value as Buffer));
    }
  }

  async #takeAll(lines: readonly Line[]): Promise<void> {
    for (let at = 0; at < lines.length && !this.#isOver; at += BATCH_LINES) {
      await this.#take(lines.slice(at, at + BATCH_LINES));
    }
  }

  async #take(lines: readonly Line[]): Promise<void> {
    const { batch, key, limits, reader } = this.#options;
    while (this.#isFull() && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const waitMs = limits.reserve(batch.subject, key, lines.length);
    if (waitMs > 0) await this.#pause(waitMs);
    if (this.#isOver) return;
    const jobs = lines.map((line) => reader.read(line));
    const bytes = jobs.reduce((sum, job) => sum + job.bytes, 0);
    this.#lines += jobs.length;
    this.#bytes += bytes;
    const answer = sendBatch(this.#ports, jobs);
    this.#written = this.#writeNext(this.#written, answer, jobs, bytes);
  }

  #isFull(): boolean {
    return this.#lines >= WINDOW_LINES || this.#bytes >= WINDOW_BYTES;
  }

  async #writeNext(before: Promise<void>, answer: Promise<string>, jobs: readonly Job[], bytes: number): Promise<void> {
    const text = await answer;
    await before;
    await this.#write(text);
    this.#lines -= jobs.length;
    this.#bytes -= bytes;
    this.#wake();
  }

  async #write(text: string): Promise<void> {
    const { response } = this.#options;
    if (this.#aborter.signal.aborted || response.write(text)) return;
    const { signal } = this.#aborter;
    await new Promise<void>((resolve) => {
      response.once('drain', resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#aborter;
    for (let leftMs = ms; leftMs > 0 && !this.#isOver; leftMs -= IDLE_MS / 2) {
      this.#progress();
      await delay(Math.min(leftMs, IDLE_MS / 2), undefined, { signal }).catch(() => {});
    }
  }

  #progress(): void {
    this.#idle.refresh();
  }

  #abort(): void {
    this.#aborter.abort();
    clearTimeout(this.#idle);
    this.#resolveStopped(undefined);
    this.#wake();
    this.#options.request.destroy();
  }

  #onIdle(idleMs: number): void {
    // Whoever does not read the answers would not read why either.
    if (this.#options.response.writableNeedDrain) this.#options.response.destroy();
    else this.stop(new RequestStalledError(idleMs));
  }
}
