/**
 * The OpenAPI 3.1 document of a server, made from the very zod schemas that its routes validate with. A schema with
 * an id (`.meta({ id: 'Message' })`) becomes a named component; all others stand in place.
 */
import swagger from '@fastify/swagger';
import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import type { HttpApp } from './server.js';

export interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  /** Kinds of bearer key: the name that a route's `security` refers to, and what such a key opens. */
  readonly keys: Readonly<Record<string, string>>;
}

type JsonSchema = Readonly<Record<string, unknown>>;
type Direction = 'input' | 'output';

/** Collects the routes that are registered on `app` from here on; `app.swagger()` is the document once it is ready. */
export async function describeWithOpenApi(app: HttpApp, options: OpenApiOptions): Promise<void> {
  const { title, version, description, tags, keys } = options;
  const components = new Map<string, JsonSchema>();
  const securitySchemes = Object.entries(keys).map(
    ([name, opens]) => [name, { type: 'http' as const, scheme: 'bearer', description: opens }] as const,
  );
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, version, description },
      tags: tags.map((tag) => ({ ...tag })),
      components: { securitySchemes: Object.fromEntries(securitySchemes) },
    },
    convertConstToEnum: false,
    transform: ({ schema, url }) => ({ schema: toJsonSchemas(schema, components) as FastifySchema, url }),
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject;
      const { openapiObject } = document;
      const schemas = Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1)));
      Object.assign(openapiObject.components ?? {}, { schemas });
      return openapiObject;
    },
  });
}

/** A route's schema with every zod schema in it, at any depth, turned into JSON Schema. */
function toJsonSchemas(value: unknown, components: Map<string, JsonSchema>, io: Direction = 'input'): unknown {
  if (value instanceof z.ZodType) return toJsonSchema(value, components, io);
  if (Array.isArray(value)) return value.map((item) => toJsonSchemas(item, components, io));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => {
    return [key, toJsonSchemas(item, components, key === 'response' ? 'output' : io)];
  });
  return Object.fromEntries(entries);
}

function toJsonSchema(schema: z.ZodType, components: Map<string, JsonSchema>, io: Direction): JsonSchema {
  const whole = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    // Bytes: what a schema cannot say its description does.
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // Answers may gain fields; a client generated from this document must not choke on them.
      if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  const { $schema, $defs = {}, ...json } = referToComponents(whole);
  for (const [name, definition] of Object.entries($defs as Record<string, JsonSchema>))
    components.set(name, definition);
  return json;
}

function referToComponents(schema: object): JsonSchema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'));
}
