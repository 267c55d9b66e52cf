/** Forms of an explanation: what is asked, and what is told of each node, each comparison and the device. */
import { z } from 'zod';
import { ACCESS_PROTOCOLS } from '../cluster/index.js';
import { MAX_DEVICE_ID_BYTES, MAX_MAP_VALUE_BYTES, MAX_NAME_BYTES } from '../protocol/index.js';
import { DECIDED_BY, LEFT_OUT } from './node-choice.js';
import { HOME_BY } from './regions.js';
import { bootstrapAnswer, text } from './schemas.js';

const attribute = z.string().max(MAX_MAP_VALUE_BYTES);
const appName = z.string().min(1).max(MAX_NAME_BYTES);
const deviceId = text(MAX_DEVICE_ID_BYTES);

/** Any attribute may stand in the query; beside them two names that say what the client does not say of itself. */
const attributes = z
  .object({
    platform: attribute.optional().describe('`web` for a browser'),
    region: attribute.optional().describe('As the client would name it'),
    'app-version': attribute.optional(),
    network: attribute.optional(),
    businesses: attribute
      .optional()
      .describe('Names of what it is granted, with commas between; by default all that serve the app'),
    address: attribute.optional().describe('From where it calls; by default nowhere in particular'),
  })
  .catchall(attribute);

export const explainParams = z.object({ app: appName, device: deviceId });
export const explainQuery = attributes;

export const adminExplainQuery = attributes
  .extend({
    app: appName.optional().describe('With `device`: says where that device is, too'),
    device: deviceId.optional(),
  })
  .refine(({ app, device }) => (app === undefined) === (device === undefined), 'app and device go together');

const nodeName = z.object({
  node: z.string(),
  incarnation: z.string().describe('Tells nodes of one name apart'),
});

const explainedNode = nodeName.extend({
  region: z.string(),
  pool: z.string(),
  load: z.number().describe('0 idle, 1 and above overloaded'),
  connections: z.int(),
  connectionLimit: z.int(),
  leftOut: z.enum(LEFT_OUT).optional().describe('Absent for a node that takes the client'),
});
export type ExplainedNode = z.output<typeof explainedNode>;

const explainedDevice = z.object({
  app: z.string(),
  device: z.string(),
  state: z.enum(['online', 'offline', 'unknown']).describe('`unknown`: where that is kept did not answer'),
  connectionId: z.string().optional(),
  sinceMs: z.int().optional().describe('Milliseconds since 1970'),
  incarnation: z.string().optional().describe('Of the node that holds it'),
  node: z.string().optional(),
  region: z.string().optional(),
});
export type ExplainedDevice = z.output<typeof explainedDevice>;

const clientAnswer = bootstrapAnswer.pick({
  heartbeat: true,
  racing: true,
  features: true,
  limits: true,
  report: true,
  decisions: true,
});

const addresses = z.array(z.string()).readonly();

const verdict = z.object({
  policy: z.string(),
  matched: z.boolean(),
  failed: z
    .object({ condition: z.string(), wanted: z.string(), met: z.string() })
    .optional()
    .describe('The first condition that did not hold'),
});

export const explanation = z
  .object({
    device: explainedDevice.optional(),
    attributes: z.record(z.string(), z.string()),
    regions: z.object({
      asked: z.string().optional(),
      home: z.string().describe('Where it is taken to be'),
      by: z.enum(HOME_BY).describe('Its hint, its address, or the node that is asked'),
      known: z.boolean().describe('Whether the configuration or a node has the region that was asked for'),
      steps: z
        .array(z.array(z.string()))
        .describe('A later step counts when no node of the earlier ones takes the client'),
      chosen: z.array(z.string()).describe('The step that counted; empty when no node takes the client'),
    }),
    policies: z.array(verdict).describe('In the order in which they were tried'),
    settings: z
      .array(z.object({ setting: z.string(), value: z.unknown(), policy: z.string() }))
      .describe('What policies gave, and which'),
    pools: z.object({
      steps: z.array(z.string()).describe('A later one counts when no node of the earlier ones takes the client'),
      chosen: z.string().optional().describe('Absent when no node takes the client'),
      empty: z.array(z.string()).describe('Those before it, where none did'),
    }),
    nodes: z.array(explainedNode).describe('Every node that is known'),
    rounds: z.array(z.object({ compared: z.array(nodeName), taken: nodeName, by: z.enum(DECIDED_BY) })),
    answer: z
      .object({
        accessPoints: z.partialRecord(z.enum(ACCESS_PROTOCOLS), addresses),
        protocols: z.array(z.enum(ACCESS_PROTOCOLS)),
        settings: clientAnswer,
      })
      .optional()
      .describe('As the bootstrap would have it'),
    refused: z.object({ code: z.string(), detail: z.string() }).optional().describe('In place of the answer'),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.output<typeof explanation>;
