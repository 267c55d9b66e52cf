/**
 * Problem details (RFC 9457): the one form of every error body. `code` is the stable word to match on; `type` is a
 * relative reference into the error catalogue, so that it holds wherever the documents are served.
 *
 * @see docs/errors.md
 */
import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { TrunklineError } from '../protocol/index.js';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

export const fieldErrorSchema = z
  .object({
    in: z.enum(['body', 'path', 'query', 'header', 'configuration']),
    field: z.string().describe('Path of the field, such as `devices[3]`; empty for the whole part.'),
    detail: z.string(),
  })
  .meta({ id: 'FieldError', description: 'One wrong field of a request' });

export const problemSchema = z
  .object({
    type: z.string().describe('Relative reference into the error catalogue.'),
    title: z.string().describe('The words of the HTTP status.'),
    status: z.int(),
    detail: z.string().describe('What was wrong with this request.'),
    code: z.string().describe('Stable; match on this.'),
    errors: z.array(fieldErrorSchema).optional().describe('Each wrong field, when fields were wrong.'),
  })
  .meta({ id: 'Problem', description: 'Problem details, RFC 9457' });

/** One wrong field of a request. */
export type FieldError = z.output<typeof fieldErrorSchema>;
export type ProblemDetails = z.output<typeof problemSchema>;

export interface ProblemExtras {
  readonly errors?: readonly FieldError[];
  /** Response headers, lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** Thrown by a route or a hook to answer with a problem; `detail` is shown to the caller, so it holds no secret. */
export class ProblemError extends TrunklineError {
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  override readonly retryable: boolean;

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    extras: ProblemExtras = {},
  ) {
    super(detail, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.errors = extras.errors;
    this.headers = extras.headers;
    this.retryable = status === 429 || status === 503;
  }
}

export function toProblemDetails(error: ProblemError): ProblemDetails {
  return {
    type: `/docs/errors#${error.code}`,
    title: STATUS_CODES[error.status] ?? 'Error',
    status: error.status,
    detail: error.detail,
    code: error.code,
    ...(error.errors === undefined ? {} : { errors: [...error.errors] }),
  };
}

/**
 * Response schemas for a route: the problems it may answer with.
 *
 * @param responses what each status means here, such as `{ 404: 'No such group' }`
 */
export function problemResponses<S extends number>(responses: Readonly<Record<S, string>>): Record<S, ProblemResponse> {
  const entries = Object.entries<string>(responses).map(([status, description]) => [
    status,
    { description, content: { [PROBLEM_MEDIA_TYPE]: { schema: problemSchema } } },
  ]);
  return Object.fromEntries(entries);
}

export interface ProblemResponse {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: typeof problemSchema }>>;
}
