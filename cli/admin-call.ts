/**
 * One call to a route of the private listener that the back-end client does not have, above all to the admin API. Plain
 * `fetch`: these routes are for operators, and what back-ends use does not carry them.
 */
import { BridgeError, BridgeUnreachableError, type FieldProblem } from '../sdk/backend/index.js';
import { type KeyArguments, readKey } from './key-source.js';
import { checkHttpUrl, explain } from './refusals.js';

const TIMEOUT_MS = 30_000;

export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind `/v1/admin/` or `/v1/`, not yet encoded. */
  readonly segments: readonly string[];
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
}

/** @throws {NodeRefusedError} no answer, or a refusal; {UsageError} no key, or a URL that is none */
export function callAdmin<T>(args: KeyArguments, request: AdminRequest): Promise<T> {
  return call(args, { ...request, segments: ['admin', ...request.segments] }, withoutAdmin);
}

/** The same outside of the admin API. */
export function callPrivate<T>(args: KeyArguments, request: AdminRequest): Promise<T> {
  return call(args, request, (error) => error);
}

async function call<T>(args: KeyArguments, request: AdminRequest, clarify: (error: unknown) => unknown): Promise<T> {
  checkHttpUrl('--url', args.url);
  const key = readKey(args);
  try {
    return (await exchange(args.url, key, request)) as T;
  } catch (error) {
    throw explain(clarify(error), args);
  }
}

async function exchange(base: string, key: string, { method, segments, query = {}, body }: AdminRequest) {
  const url = new URL(`${base.replace(/\/+$/, '')}/v1/${segments.map(encodeURIComponent).join('/')}`);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  let status: number;
  let answer: unknown;
  let retryAfter: string | null;
  try {
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.status;
    retryAfter = response.headers.get('retry-after');
    answer = await response.json().catch(() => undefined);
  } catch (error) {
    throw new BridgeUnreachableError((error as Error).cause ?? error);
  }
  if (status < 400 && answer !== undefined) return answer;
  const problem = (answer ?? {}) as { code?: string; detail?: string; errors?: FieldProblem[] };
  const retryAfterMs = retryAfter === null ? undefined : Number(retryAfter) * 1000;
  throw new BridgeError(status, problem.code, problem.detail ?? 'no reason given', retryAfterMs, problem.errors);
}

/** A node without an admin key has no such paths, which its own words do not say. */
function withoutAdmin(error: unknown): unknown {
  if (!(error instanceof BridgeError) || error.code !== 'TRK_NOT_FOUND') return error;
  const detail = 'this node has no admin API: its private.adminKeys is empty';
  return new BridgeError(error.status, error.code, detail, undefined);
}
