/**
 * One pooled HTTP connection to the bridge: JSON out, JSON in, problem documents to errors. Nothing is tried again
 * here, because only the caller knows whether a push may arrive twice.
 */
import type { Readable } from 'node:stream';
import { Pool } from 'undici';
import { InvalidArgumentError } from '../errors.js';
import { BridgeError, BridgeUnreachableError, type FieldProblem } from './errors.js';

export interface BridgeHttpOptions {
  /** Where the bridge is; a path in front of its routes is kept. */
  readonly url: URL;
  readonly key: string;
  /** Sockets at most. */
  readonly connections: number;
  /** Until the whole answer is there. */
  readonly timeoutMs: number;
}

export interface BridgeAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface RequestExtras {
  readonly body?: unknown;
  /** Appended to the path; undefined ones are left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the client's own time limit. */
  readonly timeoutMs?: number;
  /** The caller gave up; the error is then its reason. */
  readonly signal?: AbortSignal | undefined;
}

export type HttpMethod = 'GET' | 'PUT' | 'POST' | 'DELETE';

export class BridgeHttp {
  readonly #pool: Pool;
  readonly #base: string;
  readonly #authorization: string;
  readonly #timeoutMs: number;

  constructor({ url, key, connections, timeoutMs }: BridgeHttpOptions) {
    this.#pool = new Pool(url.origin, { connections });
    this.#base = `${url.pathname.replace(/\/+$/, '')}/v1`;
    this.#authorization = `Bearer ${key}`;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param segments of the path behind `/v1`, not yet encoded
   * @throws {InvalidArgumentError} a segment is empty or not well-formed Unicode
   * @throws {BridgeError} the answer is 400 or above
   * @throws {BridgeUnreachableError}
   */
  async send(method: HttpMethod, segments: readonly string[], extras: RequestExtras = {}): Promise<BridgeAnswer> {
    const { statusCode, headers, text } = await this.#exchange(method, segments, extras);
    if (statusCode >= 400) throw refusal(statusCode, headers['retry-after'], parse(text));
    if (text === '') return { status: statusCode, body: undefined };
    const answer = parse(text);
    if (answer === undefined) throw new BridgeUnreachableError(new Error('the answer is not JSON'));
    return { status: statusCode, body: answer };
  }

  /**
   * Sends bytes as they come and hands on those that come back.
   *
   * @throws {BridgeError} the answer is 400 or above
   * @throws {BridgeUnreachableError} also from the bytes, when the connection ends before the answer does
   */
  async stream(segments: readonly string[], contentType: string, body: Readable): Promise<AsyncIterable<Uint8Array>> {
    const headers = { authorization: this.#authorization, accept: contentType, 'content-type': contentType };
    try {
      const answer = await this.#pool.request({
        method: 'POST',
        path: this.#pathOf(segments),
        headers,
        body,
        // A stream may be quiet for longer than undici waits for a body.
        bodyTimeout: 0,
      });
      if (answer.statusCode >= 400) {
        const text = await answer.body.text();
        throw refusal(answer.statusCode, answer.headers['retry-after'], parse(text));
      }
      return answer.body;
    } catch (cause) {
      body.destroy();
      throw cause instanceof BridgeError ? cause : new BridgeUnreachableError(cause);
    }
  }

  /** Lets requests under way end. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  async #exchange(method: HttpMethod, segments: readonly string[], extras: RequestExtras) {
    const { body, query = {}, signal } = extras;
    const headers: Record<string, string> = { authorization: this.#authorization, accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    Object.assign(headers, extras.headers);
    const path = this.#pathOf(segments) + queryText(query);
    const timeout = AbortSignal.timeout(extras.timeoutMs ?? this.#timeoutMs);
    try {
      const answer = await this.#pool.request({
        method,
        path,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      return { ...answer, text: await answer.body.text() };
    } catch (cause) {
      signal?.throwIfAborted();
      throw new BridgeUnreachableError(cause);
    }
  }

  #pathOf(segments: readonly string[]): string {
    return `${this.#base}/${segments.map(encodeSegment).join('/')}`;
  }
}

function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

function encodeSegment(segment: string): string {
  try {
    if (segment !== '') return encodeURIComponent(segment);
  } catch {
    // A lone surrogate.
  }
  throw new InvalidArgumentError('name', 'must be well-formed Unicode and not empty');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(status: number, retryAfter: string | string[] | undefined, body: unknown): BridgeError {
  const { code, detail, title, errors } = (body ?? {}) as Record<string, unknown>;
  const retryAfterMs =
    typeof retryAfter === 'string' && /^\d{1,7}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined;
  const sentence = [detail, title].find((text) => typeof text === 'string') ?? 'no reason given';
  const fields = Array.isArray(errors) ? (errors as FieldProblem[]) : [];
  return new BridgeError(status, typeof code === 'string' ? code : undefined, sentence as string, retryAfterMs, fields);
}
