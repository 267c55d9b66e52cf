/** What an operator asks and is answered. */
import { z } from 'zod';
import { MAX_DEVICE_ID_BYTES, MAX_NAME_BYTES } from '../../protocol/index.js';
import { boundedText } from '../text.js';
import { membershipAnswer } from './cluster-schemas.js';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;

const name = z.string().min(1).max(32);
const cursor = z.string().min(1).max(2_048).meta({ description: '`next` of the page before; absent for the first' });
const limit = z.coerce
  .number()
  .int()
  .min(1)
  .max(MAX_PAGE)
  .default(DEFAULT_PAGE)
  .meta({ description: `Entries of a page, 1 to ${MAX_PAGE}`, examples: [100] });

export const devicesQuery = z.strictObject({
  app: name.optional().meta({ description: 'Only devices of this app' }),
  after: cursor.optional(),
  limit,
});
export const groupsQuery = z.strictObject({
  business: name.meta({ description: 'The business whose groups are listed' }),
  after: cursor.optional(),
  limit,
});
export const deviceParams = z.strictObject({
  app: name,
  device: boundedText(1, MAX_DEVICE_ID_BYTES).meta({ description: 'Device id, percent-encoded' }),
});

const epochMs = z.int().describe('Milliseconds since 1970');
const addresses = z.record(z.string(), z.string()).meta({ examples: [{ tcp: '127.0.0.1:7100' }] });

const workerStatus = z.object({
  index: z.int(),
  up: z.boolean(),
  generation: z.int().describe('Counts the runs of this worker from 0'),
  figures: z
    .object({
      connections: z.int(),
      groups: z.int(),
      eventLoopDelayMs: z.number().describe('99th percentile since the last scrape of /metrics'),
    })
    .optional()
    .describe('Absent while it is down or does not answer'),
});

export const statusAnswer = z
  .object({
    node: z.string(),
    incarnation: z.string().describe('New at every start'),
    version: z.string(),
    startedAtMs: epochMs,
    uptimeMs: z.int(),
    state: z.enum(['starting', 'running', 'stopping', 'stopped']),
    ready: z.boolean(),
    reason: z.string().describe('Why not ready, empty when ready'),
    connections: z.int().describe('Authenticated connections'),
    membership: membershipAnswer,
    overload: z.object({ level: z.int().min(0).max(2), reason: z.string() }),
    workers: z.array(workerStatus).readonly(),
    mainEventLoopDelayMs: z.number(),
    memory: z.object({ rssBytes: z.int(), heapUsedBytes: z.int(), externalBytes: z.int() }),
    listeners: addresses.describe('`host:port` by access protocol, as the node listens'),
    accessPoints: addresses.describe('The same as clients are told'),
    limits: z.record(z.string(), z.int()).describe('In force; `connections` is what the open files allow'),
    config: z.object({ reloads: z.int(), sinceMs: epochMs }),
  })
  .meta({ id: 'NodeStatus', description: 'A node at a glance' });

export const devicesAnswer = z
  .object({
    devices: z.array(
      z.object({
        app: z.string(),
        device: z.string(),
        uid: z.string().optional(),
        connectionId: z.string(),
        businesses: z.array(z.string()).describe('Names of granted businesses'),
        sinceMs: epochMs,
      }),
    ),
    next: z.string().optional().describe('`after` of the next page; absent on the last'),
  })
  .meta({ id: 'OnlineDevices' });
export type DevicesAnswer = z.output<typeof devicesAnswer>;

export const groupsAnswer = z
  .object({
    groups: z.array(z.object({ group: z.string(), members: z.int(), createdAtMs: epochMs })),
    next: z.string().optional().describe('`after` of the next page; absent on the last'),
  })
  .meta({ id: 'BusinessGroups' });
export type GroupsAnswer = z.output<typeof groupsAnswer>;

/** The form that an app's back-end sends to `/v1/revocations` as well. */
export const revocationBody = z
  .strictObject({
    app: name,
    jti: boundedText(1, MAX_NAME_BYTES).optional().describe('One token, by its id'),
    deviceId: boundedText(1, MAX_DEVICE_ID_BYTES)
      .optional()
      .describe('The tokens that this device was issued up to `beforeMs`'),
    identity: z
      .literal(true)
      .optional()
      .describe('With `deviceId`: all its tokens, and it gets no other until that is lifted'),
    beforeMs: z
      .int()
      .min(0)
      .optional()
      .describe('Milliseconds since 1970; now by default and at the latest. Alone: the tokens of all devices'),
  })
  .refine(({ jti, deviceId }) => jti === undefined || deviceId === undefined, 'jti and deviceId exclude each other')
  .refine(
    ({ jti, deviceId, beforeMs }) => jti !== undefined || deviceId !== undefined || beforeMs !== undefined,
    'names nothing: jti, deviceId, or beforeMs for all devices of the app',
  )
  .refine(({ deviceId, identity }) => identity === undefined || deviceId !== undefined, 'identity goes with deviceId')
  .refine(
    ({ jti, identity, beforeMs }) => beforeMs === undefined || (jti === undefined && identity === undefined),
    'beforeMs goes with neither jti nor identity',
  );
export type RevocationBody = z.output<typeof revocationBody>;

export const revocationAnswer = z.object({
  closed: z.int().describe('Live connections of this node that are being closed for it'),
  untilMs: z.int().optional().describe('When no token that it means can be left; absent for an identity'),
});
export const liftAnswer = z.object({ lifted: z.boolean().describe('Whether the identity was revoked') });

export const rotationAnswer = z
  .object({
    kid: z.string().describe('Signs from now on'),
    previousKid: z.string(),
    previousEndsMs: epochMs.describe('When the former key’s last token is over, milliseconds since 1970'),
  })
  .meta({ id: 'KeyRotation' });
export type RotationAnswer = z.output<typeof rotationAnswer>;

export const reloadAnswer = z
  .object({ changed: z.array(z.string()).readonly().describe('Paths of the settings that changed') })
  .meta({ id: 'Reloaded', examples: [{ changed: ['limits.inFlight', 'businesses.live.keys'] }] });
