/**
 * One pooled HTTP connection to the bridge: JSON out, JSON in, problem documents to errors. Nothing is tried again
 * here, because only the caller knows whether a push may arrive twice.
 */
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
  async send(method: HttpMethod, segments: readonly string[], body?: unknown): Promise<BridgeAnswer> {
    const { statusCode, headers, text } = await this.#exchange(method, segments, body);
    if (statusCode >= 400) throw refusal(statusCode, headers['retry-after'], parse(text));
    if (text === '') return { status: statusCode, body: undefined };
    const answer = parse(text);
    if (answer === undefined) throw new BridgeUnreachableError(new Error('the answer is not JSON'));
    return { status: statusCode, body: answer };
  }

  /** Lets requests under way end. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  async #exchange(method: HttpMethod, segments: readonly string[], body: unknown) {
    const headers: Record<string, string> = { authorization: this.#authorization, accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const path = `${this.#base}/${segments.map(encodeSegment).join('/')}`;
    try {
      const answer = await this.#pool.request({
        method,
        path,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      return { ...answer, text: await answer.body.text() };
    } catch (cause) {
      throw new BridgeUnreachableError(cause);
    }
  }
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
