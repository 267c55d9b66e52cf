/** The published JSON Schema: current, and of one mind with the schema that loads a file. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import { parse } from 'yaml';
import { configJsonSchema, configJsonSchemaText } from '../../config/index.js';

const FILE = 'config/trunkline.schema.json';
const sample = readFileSync('config/trunkline.sample.yaml', 'utf8');
const validate = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(configJsonSchema());

test('json schema: the file is what the build makes of the schema', (t) => {
  t.is(readFileSync(FILE, 'utf8'), configJsonSchemaText(), `run: npm run build`);
});

test('json schema: the sample validates, and names the schema for editors', (t) => {
  t.true(validate(parse(sample)), JSON.stringify(validate.errors));
  t.regex(sample, /^# yaml-language-server: \$schema=\.\/trunkline\.schema\.json\n/);
});

test('json schema: refuses what the loader refuses', (t) => {
  const broken = (change: (config: Record<string, Record<string, unknown>>) => void) => {
    const config = parse(sample);
    change(config);
    return validate(config);
  };
  t.false(broken((config) => Object.assign(config['limits'] ?? {}, { conections: 1 })));
  t.false(broken((config) => Object.assign(config['node'] ?? {}, { logLevel: 'loud' })));
  t.false(broken((config) => Object.assign(config['businesses'] ?? {}, { 'Live TV': {} })));
  t.false(broken((config) => Object.assign(config['engine'] ?? {}, { type: 'postgres' })));
  t.false(broken((config) => Object.assign(config['engine'] ?? {}, { addresses: ['127.0.0.1:6379'] })));
  t.false(
    broken((config) => Object.assign(config['control'] ?? {}, { regions: { eu: { domains: { sctp: 'a:1' } } } })),
  );
  t.false(broken((config) => Reflect.deleteProperty(config, 'apps')));
});

test('json schema: describes every setting', (t) => {
  t.deepEqual(undescribed(configJsonSchema(), ''), []);
});

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

function undescribed(schema: Schema, path: string): string[] {
  const { properties = {}, additionalProperties, anyOf = [], oneOf = [] } = schema;
  const below = Object.entries(properties).flatMap(([name, setting]) => {
    const at = `${path}.${name}`;
    // A secret is one setting, however it is written.
    const inner = setting.anyOf?.some((each) => 'minLength' in each) ? [] : undescribed(setting, at);
    return setting.description === undefined ? [at, ...inner] : inner;
  });
  const named = typeof additionalProperties === 'object' ? undescribed(additionalProperties, `${path}.NAME`) : [];
  return [...below, ...named, ...[...anyOf, ...oneOf].flatMap((each) => undescribed(each, path))];
}
