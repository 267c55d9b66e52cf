/**
 * The form of the policies file: rollouts by name, pools by name, and policies in their order. Names, not ids, since
 * people read them in explanations and metrics.
 *
 * @see docs/control.md, "Policies"; config/policies.sample.yaml
 */
import { z } from 'zod';
import { ACCESS_PROTOCOLS } from '../../cluster/index.js';

/** Of which there are as many time series. */
export const MAX_POLICIES = 256;
const MAX_ROLLOUTS = 64;
const MAX_POOLS = 64;
const MAX_NODES = 1_000;
const MAX_LIST = 256;
const MAX_TEXT_CHARS = 256;
const MAX_FEATURES = 64;
const MAX_FEATURE_CHARS = 1_024;
const MAX_INTERVAL_MS = 86_400_000;

const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'a name: lower-case letters, digits and dashes, at most 32');
const label = z.string().min(1).max(MAX_TEXT_CHARS);
const share = z.number().min(0).max(100).describe('Per cent of the devices');
const intervalMs = z.number().int().min(1).max(MAX_INTERVAL_MS);
const instant = z.iso
  .datetime({ offset: true, error: 'must be a time with its offset, such as 2027-01-31T08:00:00Z' })
  .describe('With its offset from UTC');

/** One, or a list of which one must hold. */
const oneOf = z.union([label, z.array(label).min(1).max(MAX_LIST)], 'a text or a list of texts');

const entriesAtMost = (max: number) => (map: object) => Object.keys(map).length <= max;

const match = z.strictObject({
  app: oneOf.optional().describe('Of the bootstrap'),
  business: oneOf.optional().describe('One that the device is granted'),
  platform: oneOf.optional().describe('The attribute `platform`'),
  appVersion: label.optional().describe('A range that the attribute `app-version` lies in, such as ">=5.2.0 <6"'),
  region: oneOf.optional().describe('Where the device is taken to be'),
  network: oneOf.optional().describe('The attribute `network`'),
  from: instant.optional().describe('Not before'),
  until: instant.optional().describe('No longer'),
  share: share.optional().describe('Of the devices, always the same ones'),
  rollout: name.optional().describe('Of the devices, as far as this rollout has come'),
});
export type PolicyMatch = z.output<typeof match>;

const settings = z.strictObject({
  pools: z.array(name).min(1).max(16).optional().describe('Pools to be sent to, in this order, before control.pools'),
  protocols: z
    .array(z.enum(ACCESS_PROTOCOLS))
    .min(1)
    .max(ACCESS_PROTOCOLS.length)
    .optional()
    .describe('In the order to try, and no other'),
  heartbeat: z
    .strictObject({ intervalMs: intervalMs.optional(), minMs: intervalMs, maxMs: intervalMs })
    .optional()
    .describe('Bounds of the interval that the client finds, and where it begins; equal bounds fix it'),
  racing: z
    .strictObject({ delayMs: z.number().int().min(0).max(60_000), maxParallel: z.number().int().min(1).max(16) })
    .optional()
    .describe('After how long the next candidate starts, and how many run at once'),
  features: z
    .record(
      label,
      z.union([z.string().max(MAX_FEATURE_CHARS), z.number(), z.boolean()], 'a text, a number, true or false'),
    )
    .refine(entriesAtMost(MAX_FEATURES), `must have at most ${MAX_FEATURES} features`)
    .optional()
    .describe('Flags for the application'),
  limits: z
    .partialRecord(z.enum(['maxQueuedRequests']), z.number().int().min(0).max(1_000_000))
    .optional()
    .describe('Of the client'),
  report: z
    .strictObject({ share: z.number().min(0).max(1), intervalMs: z.number().int().min(1_000).max(MAX_INTERVAL_MS) })
    .optional()
    .describe('Which share of connections, 0 to 1, sends measurements, and how often'),
});
export type PolicySettings = z.output<typeof settings>;

const policy = z.strictObject({
  name: name.describe('In explanations, metrics, and the answer to the device'),
  match: match.prefault({}).describe('All of it must hold; an empty one matches every device'),
  set: settings.describe('What a device gets that no earlier policy has set'),
});
export type Policy = z.output<typeof policy>;

export const policiesSchema = z.strictObject({
  rollouts: z
    .record(name, z.strictObject({ share: share.describe('Until an operator sets another') }))
    .refine(entriesAtMost(MAX_ROLLOUTS), `must have at most ${MAX_ROLLOUTS} rollouts`)
    .default({})
    .describe('Shares that can grow while the service runs'),
  pools: z
    .record(name, z.strictObject({ nodes: z.array(name).min(1).max(MAX_NODES).describe('By node.name') }))
    .refine(entriesAtMost(MAX_POOLS), `must have at most ${MAX_POOLS} pools`)
    .default({})
    .describe('Nodes that are of this pool whatever their own node.pool says'),
  policies: z.array(policy).max(MAX_POLICIES).default([]).describe('In the order in which they are tried'),
});
export type PoliciesFile = z.output<typeof policiesSchema>;
