/**
 * The schema of the configuration file as JSON Schema (draft 2020-12), for editors and for machines that write such
 * files. The build writes it to `config/trunkline.schema.json`.
 */
import { z } from 'zod';
import { configSchema } from './schema.js';

export function configJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, {
    io: 'input',
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      // zod bounds every whole number by what JavaScript counts exactly, which says nothing to a reader.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return { $schema, title: 'Trunkline node configuration', ...schema };
}

/** As it stands in the file. */
export function configJsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}
