/** `docs/operations.md` against the schema: every setting has its row, with its default, and no row is invented. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { z } from 'zod';
import { configSchema } from '../../config/schema.js';

interface JsonSchema {
  readonly type?: string;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  /** Variants told apart by their `type`. */
  readonly oneOf?: readonly JsonSchema[];
}

test('operations document: names every setting with its default, and nothing else', (t) => {
  const expected = settingsOf(z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema, '', true);
  const document = readFileSync('docs/operations.md', 'utf8');
  const section = /\n## Configuration\n([\s\S]*?)\n## /.exec(document)?.[1] ?? '';
  const rows = [...section.matchAll(/^\| `([\w.]+)` \| (.*?) \|/gm)].map(([, path, value]) => `${path}: ${value}`);
  t.deepEqual(rows, expected);
});

/** @returns `path: default` of each leaf, as the table writes them */
function settingsOf(schema: JsonSchema, path: string, isRequired: boolean): string[] {
  const variant = schema.oneOf?.toSorted((a, b) => sizeOf(b) - sizeOf(a))[0];
  if (variant !== undefined) {
    // The smaller ones have nothing of their own.
    const type = { default: (schema.default as { type: string }).type };
    return settingsOf({ ...variant, properties: { ...variant.properties, type } }, path, isRequired);
  }
  // A listener may be null; a secret may be written in three ways and is one setting.
  const alternatives = schema.anyOf ?? [schema];
  const branch = alternatives.some(({ type }) => type === 'string')
    ? schema
    : alternatives.find(({ properties, additionalProperties }) => properties ?? additionalProperties);
  if (branch?.properties !== undefined) {
    const required = new Set(branch.required);
    return Object.entries(branch.properties).flatMap(([name, each]) =>
      settingsOf(each, path === '' ? name : `${path}.${name}`, required.has(name)),
    );
  }
  if (typeof branch?.additionalProperties === 'object') {
    return settingsOf(branch.additionalProperties, `${path}.NAME`, true);
  }
  if (schema.default === undefined) return [`${path}: ${isRequired ? 'required' : 'none'}`];
  const text = typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default);
  return [`${path}: \`${text}\``];
}

function sizeOf({ properties = {} }: JsonSchema): number {
  return Object.keys(properties).length;
}
