/**
 * zod as Fastify's only validator. Each schema is used as it is, compiled by zod itself at its first use, and answers
 * are plain `JSON.stringify`: their form is held by the compiler and the tests, not checked again for every request.
 */
import type { FastifySchemaCompiler, FastifySerializerCompiler, FastifyTypeProvider } from 'fastify';
import { z } from 'zod';
import { type FieldError, ProblemError } from './problem.js';

/** Gives routes the types of their zod schemas: `app.withTypeProvider<ZodTypeProvider>()`. */
export interface ZodTypeProvider extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType
    ? z.output<this['schema']>
    : this['schema'] extends BodyByMediaType<infer Schema>
      ? z.output<Schema>
      : unknown;
  serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown;
}

/** A body that comes in several media types, each with its schema. */
interface BodyByMediaType<Schema extends z.ZodType> {
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
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
  if (part === 'header' && schema instanceof z.ZodObject) return validateHeaders(schema);
  return (data: unknown) => {
    const result = schema.safeParse(data);
    return result.success ? { value: result.data } : { error: invalidRequest(part, result.error) };
  };
};

/** Looks at the headers that the schema names and leaves the others alone: a copy of all of them would be for nothing. */
function validateHeaders(schema: z.ZodObject) {
  const fields = Object.entries<z.ZodType>(schema.shape as Readonly<Record<string, z.ZodType>>);
  return (headers: Readonly<Record<string, unknown>>) => {
    for (const [name, field] of fields) {
      const value = headers[name];
      if (value === undefined && field.isOptional()) continue;
      const result = field.safeParse(value);
      if (result.success) continue;
      const issues = result.error.issues.map((issue) => ({ ...issue, path: [name, ...issue.path] }));
      return { error: invalidRequest('header', new z.ZodError(issues)) };
    }
    return true;
  };
}

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
