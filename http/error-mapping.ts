/**
 * Whatever was thrown, as the problem to answer with. What nobody foresaw becomes 500 `TRK_INTERNAL` with a fixed
 * detail: its message may hold what only the log should see.
 */
import { TrunklineError } from '../protocol/index.js';
import { ProblemError, type ProblemExtras } from './problem.js';

/** HTTP status per code of a TrunklineError that a route lets through. */
export type StatusByCode = Readonly<Record<string, number>>;

const DEFAULT_STATUS_BY_CODE: StatusByCode = {
  TRK_OVERLOADED: 429,
  TRK_GROUP_NOT_FOUND: 404,
  TRK_ENGINE_UNAVAILABLE: 503,
};

/** Seconds a caller is asked to wait when the node is overloaded. */
const RETRY_AFTER_S = '1';

type Fault = readonly [status: number, code: string, detail: string];

/** Fastify's own refusals, by its codes. */
const FASTIFY_FAULTS: Readonly<Record<string, Fault>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'TRK_INVALID_JSON', 'the body is not valid JSON'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'TRK_INVALID_JSON', 'the body is empty'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'TRK_INVALID_REQUEST', 'the body is not as long as Content-Length says'],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'TRK_BODY_TOO_LARGE', 'the body is longer than this listener takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'TRK_UNSUPPORTED_MEDIA_TYPE', 'send the body as application/json'],
  FST_ERR_BAD_URL: [400, 'TRK_INVALID_URL', 'the path is not valid percent-encoded UTF-8'],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'TRK_INVALID_URL', 'a part of the path is too long'],
};

/** @param extra statuses of further codes, over the defaults */
export function createErrorMapping(extra: StatusByCode = {}): (error: unknown) => ProblemError {
  const statusByCode: StatusByCode = { ...DEFAULT_STATUS_BY_CODE, ...extra };
  return (error) => {
    if (error instanceof ProblemError) return error;
    const code = codeOf(error);
    if (code !== undefined) {
      const fault = FASTIFY_FAULTS[code];
      if (fault !== undefined) return new ProblemError(...fault, { cause: error });
      const status = statusByCode[code];
      if (status !== undefined) return new ProblemError(status, code, messageOf(error), extrasFor(status, error));
    }
    // Fastify marks what the caller did wrong with a 4xx; a TrunklineError carries no such mark.
    if (!(error instanceof TrunklineError) && isCallersFault(error)) {
      return new ProblemError(400, 'TRK_INVALID_REQUEST', 'the request is not acceptable', { cause: error });
    }
    return new ProblemError(500, 'TRK_INTERNAL', 'the request failed inside the node; its log says why', {
      cause: error,
    });
  };
}

function extrasFor(status: number, cause: unknown): ProblemExtras {
  return status === 429 || status === 503 ? { cause, headers: { 'retry-after': RETRY_AFTER_S } } : { cause };
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isCallersFault(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return false;
  return typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500;
}
