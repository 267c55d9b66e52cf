/**
 * Forms of what the control layer is asked and answers. Unknown fields are refused: a misspelt `deviceId` would
 * otherwise make a new device at every start.
 */
import { z } from 'zod';
import { ACCESS_PROTOCOLS } from '../cluster/index.js';
import {
  MAX_BUSINESSES,
  MAX_DEVICE_ID_BYTES,
  MAX_MAP_ENTRIES,
  MAX_MAP_KEY_BYTES,
  MAX_MAP_VALUE_BYTES,
  MAX_NAME_BYTES,
  MAX_TOKEN_BYTES,
  utf8Length,
} from '../protocol/index.js';
import { MAX_GROUP_PATTERNS } from '../tokens/index.js';

/** A device secret has 43 characters; this leaves room and no more. */
const MAX_SECRET_CHARS = 128;

/** Text with a UTF-8 form, counted in its bytes. */
export const text = (maxBytes: number) =>
  z
    .string()
    .min(1)
    .refine((value) => utf8Length(value) <= maxBytes, `at most ${maxBytes} bytes of UTF-8`)
    .refine((value) => !/\p{Surrogate}/u.test(value), 'not valid Unicode');

const entries = (max: number) => (map: object) => Object.keys(map).length <= max;

const appName = z.string().min(1).max(MAX_NAME_BYTES);
const deviceId = text(MAX_DEVICE_ID_BYTES);

export const bootstrapRequest = z.strictObject({
  app: appName,
  deviceId: deviceId.optional(),
  deviceSecret: z.string().min(1).max(MAX_SECRET_CHARS).optional(),
  assertion: z.string().min(1).max(MAX_TOKEN_BYTES).optional(),
  attributes: z
    .record(z.string().min(1).max(MAX_MAP_KEY_BYTES), z.string().max(MAX_MAP_VALUE_BYTES))
    .refine(entries(MAX_MAP_ENTRIES), `at most ${MAX_MAP_ENTRIES} attributes`)
    .default({}),
});
export type BootstrapRequest = z.output<typeof bootstrapRequest>;

export const bootstrapAnswer = z.object({
  app: z.string(),
  deviceId: z.string(),
  deviceSecret: z.string().optional().describe('Only with an id made in this moment; keep both.'),
  token: z.string(),
  expiresAtMs: z.int(),
  businesses: z.array(z.string()).readonly(),
  accessPoints: z
    .partialRecord(z.enum(ACCESS_PROTOCOLS), z.array(z.string()).readonly())
    .describe('host:port, or for wss and ws a URL; several in the order to try'),
  protocols: z.array(z.enum(ACCESS_PROTOCOLS)).readonly().describe('In the order to try.'),
  heartbeat: z.object({
    intervalMs: z.int().describe('Where to begin'),
    minMs: z.int(),
    maxMs: z.int().describe('Equal to minMs: fixed'),
  }),
  racing: z
    .object({ delayMs: z.int(), maxParallel: z.int() })
    .optional()
    .describe('How to race access points; the client decides when absent'),
  features: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe('Flags for the application'),
  limits: z.record(z.string(), z.number()).optional().describe('Of the client'),
  report: z
    .object({ share: z.number(), intervalMs: z.int() })
    .describe('Which share of connections, 0 to 1, sends measurements, and how often'),
  decisions: z.array(z.string()).readonly().optional().describe('Policies that matched, at most 16 are named'),
  retry: z.object({ minMs: z.int(), maxMs: z.int() }),
});
export type BootstrapAnswer = z.output<typeof bootstrapAnswer>;

export const tokenRequest = z.strictObject({
  app: appName,
  deviceId,
  uid: text(MAX_NAME_BYTES).optional(),
  businesses: z
    .array(text(MAX_NAME_BYTES))
    .max(MAX_BUSINESSES)
    .refine((names) => new Set(names).size === names.length, 'a business is named twice')
    .optional()
    .describe('All that serve the app when absent.'),
  groups: z
    .record(text(MAX_NAME_BYTES), z.array(text(MAX_NAME_BYTES)).max(MAX_GROUP_PATTERNS))
    .refine(entries(MAX_BUSINESSES), `at most ${MAX_BUSINESSES} businesses`)
    .default({})
    .describe('Per granted business, the groups the device may join; `*` ends a prefix.'),
  ttlMs: z.int().min(1).optional().describe("At most, and by default, the app's tokenTtlMs."),
});

/** Exactly one thing is taken back: a token, a device's tokens, a device, or everything of the app. */
export const revocationRequest = z
  .strictObject({
    app: appName,
    jti: text(MAX_NAME_BYTES).optional().describe('One token, by its id.'),
    deviceId: deviceId.optional().describe('The tokens that this device was issued up to `beforeMs`.'),
    identity: z
      .literal(true)
      .optional()
      .describe('With `deviceId`: all its tokens, and it gets no other, until that is lifted.'),
    beforeMs: z
      .int()
      .min(0)
      .optional()
      .describe('Milliseconds since 1970; now by default and at the latest. Alone: the tokens of all devices.'),
  })
  .refine(
    ({ jti, deviceId: device }) => jti === undefined || device === undefined,
    'jti and deviceId exclude each other',
  )
  .refine(
    ({ jti, deviceId: device, beforeMs }) => jti !== undefined || device !== undefined || beforeMs !== undefined,
    'names nothing: jti, deviceId, or beforeMs for all devices of the app',
  )
  .refine(({ jti, beforeMs }) => jti === undefined || beforeMs === undefined, 'jti and beforeMs exclude each other')
  .refine(
    ({ identity, deviceId: device, beforeMs }) =>
      identity === undefined || (device !== undefined && beforeMs === undefined),
    'identity takes a deviceId and no beforeMs',
  );
export type RevocationBody = z.output<typeof revocationRequest>;

export const revocationAnswer = z.object({
  closed: z.int().describe('Live connections of this node that were closed for it.'),
  untilMs: z.int().optional().describe('When no token that it means can be left; absent for an identity.'),
});

export const liftParams = z.object({ app: appName, device: deviceId });
export const liftAnswer = z.object({ lifted: z.boolean().describe('Whether the identity was revoked.') });

export const tokenAnswer = z.object({
  token: z.string(),
  expiresAtMs: z.int(),
  deviceId: z.string(),
  app: z.string(),
  jti: z.string().describe('By which this one token can be revoked.'),
});
