/** Forms of what operators are told of policies and rollouts, and what they set. */
import { z } from 'zod';
import { MAX_NAME_BYTES } from '../protocol/index.js';

export const rolloutParams = z.object({ rollout: z.string().min(1).max(MAX_NAME_BYTES) });

export const shareBody = z.strictObject({ share: z.number().min(0).max(100).describe('Per cent of the devices') });

const lastSet = z.object({
  share: z.number(),
  before: z.number().describe('What it was'),
  atMs: z.int().describe('Milliseconds since 1970, by the clock of the node that was asked'),
  node: z.string().describe('Which was asked'),
});

export const rolloutAnswer = z
  .object({
    name: z.string(),
    share: z.number().describe('Per cent in force'),
    shareInFile: z.number().describe('What counts while nobody has set one'),
    set: lastSet.optional(),
    policies: z.array(z.string()).readonly().describe('Those that go by it'),
  })
  .meta({ id: 'Rollout' });
export type RolloutAnswer = z.output<typeof rolloutAnswer>;

export const rolloutsAnswer = z.object({ rollouts: z.array(rolloutAnswer) });
export type RolloutsAnswer = z.output<typeof rolloutsAnswer>;

export const policiesAnswer = z
  .object({
    file: z.string().nullable().describe('null when the configuration names none'),
    sinceMs: z.int().describe('Since when these are in force, milliseconds since 1970'),
    policies: z
      .array(z.object({ name: z.string(), decisions: z.int().describe('Bootstraps that matched') }))
      .readonly(),
    refused: z
      .object({
        atMs: z.int(),
        problems: z.array(z.object({ path: z.string(), line: z.int().optional(), message: z.string() })).readonly(),
      })
      .optional()
      .describe('The file as it is now, which does not count; absent when it does'),
  })
  .meta({ id: 'Policies' });
export type PoliciesAnswer = z.output<typeof policiesAnswer>;
