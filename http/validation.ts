/**
 * zod as Fastify's only validator. Each schema is used as it is, compiled by zod itself at its first use, and answers
 * are plain `JSON.stringify`: their form is held by the compiler and the tests, not checked again for every request.
 */
import type { FastifySchemaCompiler, FastifySerializerCompiler, FastifyTypeProvider } from 'fastify';
import { z } from 'zod';
import { type FieldError, ProblemError } from './problem.js';

/** Gives routes the types of their zod schemas: `app.withTypeProvider<ZodTypeProvider>()`. */
export interface ZodTypeProvider extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
  serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown;
}

/** A request in the wrong form; `errors` names every field. */
export class InvalidRequestError extends ProblemError {
  constructor(errors: readonly FieldError[]) {
    const [first] = errors;
    const where = first === undefined ? 'request' : first.field === '' ? first.in : first.field;
    super(400, 'TRK_INVALID_REQUEST', `${where}: ${first?.detail ?? 'not acceptable'}`, { errors });
  }
}

const PARTS: Readonly<Record<string, FieldError['in']>> = {
  body: 'body',
  params: 'path',
  querystring: 'query',
  headers: 'header',
};

/** Errors told of one request; a hostile body could have any number. */
const MAX_FIELD_ERRORS = 20;

/** @throws {TypeError} at start-up, when a route's schema is not a zod schema */
export const validateWithZod: FastifySchemaCompiler<unknown> = ({ schema, httpPart, url }) => {
  if (!(schema instanceof z.ZodType)) throw new TypeError(`${url}: the ${httpPart} schema is not a zod schema`);
  const part = PARTS[httpPart ?? ''] ?? 'body';
  return (data: unknown) => {
    const result = schema.safeParse(data);
    return result.success ? { value: result.data } : { error: invalidRequest(part, result.error) };
  };
};

export const serializePlainly: FastifySerializerCompiler<unknown> = () => (data) => JSON.stringify(data);

function invalidRequest(part: FieldError['in'], error: z.ZodError): InvalidRequestError {
  const errors = error.issues.slice(0, MAX_FIELD_ERRORS).map((issue) => ({
    in: part,
    field: fieldPath(issue.path),
    detail: issue.message,
  }));
  return new InvalidRequestError(errors);
}

/** `['devices', 3, 'id']` as `devices[3].id`. */
function fieldPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text;
}
