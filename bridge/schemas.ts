/**
 * The words of the bridge: what a back-end sends and gets. Requests are validated with these, the OpenAPI document is
 * generated from these, the handlers' types are inferred from these.
 *
 * @see docs/api.md
 */
import { z } from 'zod';
import { fieldErrorSchema } from '../http/index.js';
import {
  MAX_DEVICE_ID_BYTES,
  MAX_MAP_ENTRIES,
  MAX_MAP_KEY_BYTES,
  MAX_MAP_VALUE_BYTES,
  MAX_NAME_BYTES,
} from '../protocol/index.js';
import { boundedText, isWellFormed } from './text.js';

/** Devices in one request. */
export const MAX_DEVICES = 1_000;
/** Users in one request. */
export const MAX_USERS = 1_000;
/** A push waits in memory, so none is worth keeping for longer than a day. */
export const MAX_TTL_MS = 86_400_000;
export const DEFAULT_CALL_MS = 10_000;
export const MAX_CALL_MS = 60_000;
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;

const deviceId = boundedText(1, MAX_DEVICE_ID_BYTES).meta({
  description: `Device id, 1 to ${MAX_DEVICE_ID_BYTES} bytes of UTF-8`,
  examples: ['alice-phone'],
});
const groupName = boundedText(1, MAX_NAME_BYTES).meta({
  description: `Group name within the business, 1 to ${MAX_NAME_BYTES} bytes of UTF-8, percent-encoded in the path`,
  examples: ['room-1'],
});
const appName = z
  .string()
  .min(1)
  .max(32)
  .meta({ description: 'App, as configured', examples: ['demo'] });
const messageId = boundedText(1, MAX_NAME_BYTES).meta({
  description: `Shown to the device; 1 to ${MAX_NAME_BYTES} bytes. Made by the bridge when absent`,
  examples: ['order-4711-paid'],
});
const devices = z
  .array(deviceId)
  .min(1, 'name at least one device')
  .max(MAX_DEVICES, `at most ${MAX_DEVICES} devices`)
  .meta({ description: `1 to ${MAX_DEVICES} device ids`, examples: [['alice-phone', 'bob-tablet']] });

const userId = boundedText(1, MAX_NAME_BYTES).meta({
  description: `User id as tokens name it (\`uid\`), 1 to ${MAX_NAME_BYTES} bytes of UTF-8`,
  examples: ['alice'],
});
const users = z
  .array(userId)
  .min(1, 'name at least one user')
  .max(MAX_USERS, `at most ${MAX_USERS} users`)
  .meta({ description: `1 to ${MAX_USERS} user ids`, examples: [['alice', 'bob']] });

export const appParams = z.strictObject({ app: appName });
export const deviceParams = z.strictObject({ app: appName, device: deviceId });
export const groupParams = z.strictObject({ group: groupName });
export const userParams = z.strictObject({ app: appName, uid: userId });
export const pageQuery = z.strictObject({
  after: z
    .string()
    .min(1)
    .max(2_048)
    .optional()
    .meta({ description: '`next` of the page before; absent for the first' }),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE)
    .default(DEFAULT_PAGE)
    .meta({ description: `Entries of a page, 1 to ${MAX_PAGE}`, examples: [100] }),
});

export const idempotencyKey = boundedText(1, MAX_NAME_BYTES).meta({
  description:
    'The same key with the same request is answered once more and done once, for ten minutes, per business. ' +
    `1 to ${MAX_NAME_BYTES} bytes`,
  examples: ['order-4711'],
});

const metadata = z
  .record(boundedText(1, MAX_MAP_KEY_BYTES), boundedText(0, MAX_MAP_VALUE_BYTES))
  .refine((map) => Object.keys(map).length <= MAX_MAP_ENTRIES, `at most ${MAX_MAP_ENTRIES} entries`)
  .meta({
    description: `At most ${MAX_MAP_ENTRIES} pairs; keys to ${MAX_MAP_KEY_BYTES} bytes, values to ${MAX_MAP_VALUE_BYTES}`,
    maxProperties: MAX_MAP_ENTRIES,
    examples: [{ kind: 'chat' }],
  });

/** Without groups and so without backtracking, which a megabyte of base64 would overflow. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const payloadShape = {
  payload: z
    .string()
    .refine(isWellFormed, 'not well-formed Unicode')
    .optional()
    .meta({ description: 'What the device gets, as UTF-8 text', examples: ['{"text":"hello"}'] }),
  payloadBase64: z
    .string()
    .regex(BASE64, 'not base64 (RFC 4648, section 4)')
    .refine((text) => text.length % 4 === 0, 'base64 comes in fours: is the padding missing?')
    .optional()
    .meta({ description: 'What the device gets, as base64 of any bytes', examples: ['AAEC'] }),
};

const optionsShape = {
  messageId: messageId.optional(),
  metadata: metadata.optional(),
  ttlMs: z
    .int()
    .min(0)
    .max(MAX_TTL_MS)
    .optional()
    .meta({ description: 'Removed and `expired` when it still waits after so many milliseconds; 0: no such limit' }),
  priority: z
    .enum(['high', 'normal'])
    .optional()
    .meta({ description: '`high` goes before what waits with `normal`, the default' }),
  droppable: z
    .boolean()
    .optional()
    .meta({ description: 'The first to go when a queue fills or the node is overloaded; default false' }),
};

const messageShape = { ...payloadShape, ...optionsShape };

/** What a message has beside its payload. */
export const messageOptions = z.strictObject(optionsShape);

interface Payloads {
  readonly payload?: string | undefined;
  readonly payloadBase64?: string | undefined;
}

interface Targets {
  readonly device?: unknown;
  readonly devices?: unknown;
  readonly user?: unknown;
  readonly group?: unknown;
}

const hasOneTarget = ({ device, devices: many, user, group }: Targets): boolean =>
  Number(device !== undefined) +
    Number(many !== undefined) +
    Number(user !== undefined) +
    Number(group !== undefined) ===
  1;

const hasOnePayload = (message: Payloads) => (message.payload === undefined) !== (message.payloadBase64 === undefined);
const onePayload = { message: 'exactly one of payload and payloadBase64', path: ['payload'] };
const onePayloadInJsonSchema = { oneOf: [{ required: ['payload'] }, { required: ['payloadBase64'] }] };

export const messageBody = z
  .strictObject(messageShape)
  .refine(hasOnePayload, onePayload)
  .meta({ id: 'Message', description: 'One message', ...onePayloadInJsonSchema });
export type MessageBody = z.output<typeof messageBody>;

export const batchBody = z
  .strictObject({ devices, ...messageShape })
  .refine(hasOnePayload, onePayload)
  .meta({ id: 'BatchMessage', description: 'One message to many devices', ...onePayloadInJsonSchema });

export const callBody = z
  .strictObject({
    ...payloadShape,
    method: boundedText(1, MAX_NAME_BYTES).meta({
      description: `What is asked of the device, 1 to ${MAX_NAME_BYTES} bytes`,
      examples: ['lamp.on'],
    }),
    metadata: metadata.optional(),
    deadlineMs: z
      .int()
      .min(1)
      .max(MAX_CALL_MS)
      .default(DEFAULT_CALL_MS)
      .meta({ description: `How long to wait, up to ${MAX_CALL_MS} ms` }),
  })
  .refine((call) => !(call.payload !== undefined && call.payloadBase64 !== undefined), {
    message: 'at most one of payload and payloadBase64',
    path: ['payload'],
  })
  .meta({ id: 'DeviceCall', description: 'A request to one device' });

export const usersBody = z.strictObject({ users }).meta({ id: 'Users' });

/** One line of a bulk push. */
export const bulkLine = z
  .strictObject({
    app: appName.optional().meta({ description: 'Of the devices or the user; absent for a group' }),
    device: deviceId.optional(),
    devices: devices.optional(),
    user: userId.optional(),
    group: groupName.optional(),
    ...messageShape,
    ref: z.string().max(256).optional().meta({ description: 'Comes back with the result' }),
    idempotencyKey: idempotencyKey.optional(),
  })
  .refine(hasOnePayload, onePayload)
  .refine(hasOneTarget, { message: 'exactly one of device, devices, user and group', path: ['device'] })
  .refine((line) => (line.app === undefined) === (line.group !== undefined), {
    message: 'app belongs to device, devices and user, and to those always',
    path: ['app'],
  })
  .meta({ id: 'BulkPush', description: 'One line: one push', ...onePayloadInJsonSchema });
export type BulkLine = z.output<typeof bulkLine>;

export const devicesBody = z.strictObject({ devices }).meta({ id: 'Devices' });
export const membershipBody = z.strictObject({ app: appName, devices }).meta({ id: 'GroupMembers' });

const deliveryShape = {
  result: z
    .enum(['delivered', 'offline', 'expired', 'dropped', 'unknown'])
    .describe(
      '`delivered`: the kernel took every byte. `offline`: no connection that was granted this business. `expired`: its ' +
        '`ttlMs` passed while it waited. `dropped`: it ended before the kernel took it, `reason` says why. ' +
        '`unknown`: handed on and not answered in time, it may have arrived.',
    ),
  reason: z
    .enum(['slow', 'closed', 'overload', 'unreachable'])
    .optional()
    .describe(
      'Why it was dropped; absent otherwise. `unreachable`: it never left this node, because what joins the nodes is ' +
        'away; the others were removed from a queue.',
    ),
};

export const unicastAnswer = z
  .object({ messageId: z.string(), ...deliveryShape })
  .meta({ id: 'Delivery', examples: [{ messageId: 'k3Jd0a-1', result: 'delivered' }] });
export const deviceDelivery = z.object({ device: z.string(), ...deliveryShape }).meta({ id: 'DeviceDelivery' });
export const batchAnswer = z
  .object({
    messageId: z.string(),
    results: z.array(deviceDelivery).describe('One a device, in the order of the request'),
  })
  .meta({ id: 'BatchDelivery' });
export const multicastAnswer = z
  .object({
    messageId: z.string(),
    offset: z.int().min(0).describe("Position in the group's stream, growing by one a multicast"),
    members: z.int().min(0).describe('Members it was queued for'),
    unanswered: z
      .int()
      .min(0)
      .describe('Access workers that did not answer in time, or refused it; their members are not counted'),
  })
  .meta({ id: 'GroupDelivery' });
export const userDelivery = z
  .object({
    messageId: z.string(),
    user: z.string(),
    devices: z.array(deviceDelivery).describe('One a device that the user is online with; empty when there is none'),
  })
  .meta({ id: 'UserDelivery' });
const count = z.int().min(0);
export const broadcastAnswer = z
  .object({
    messageId: z.string(),
    devices: count.describe('Online devices of the app that were granted this business'),
    results: z
      .object({ delivered: count, offline: count, expired: count, dropped: count, unknown: count })
      .describe('How many of them by result'),
  })
  .meta({ id: 'BroadcastDelivery' });
export const callAnswer = z
  .object({
    status: z.int().min(0).describe('A gRPC status code: what the device answered, or why there is no answer'),
    statusName: z.string().describe('The same in words; UNKNOWN for a number that is none'),
    metadata: z.record(z.string(), z.string()),
    payload: z.string().optional().describe('What the device answered, when it is UTF-8 text'),
    payloadBase64: z.string().optional().describe('What it answered otherwise, as base64'),
  })
  .meta({ id: 'DeviceAnswer', examples: [{ status: 0, statusName: 'OK', metadata: {}, payload: '{"on":true}' }] });

export const groupAnswer = z
  .object({
    group: z.string(),
    members: z.int().min(0).describe('Connections that are members now'),
    createdAtMs: z.int().describe('Milliseconds since 1970'),
  })
  .meta({ id: 'Group', examples: [{ group: 'room-1', members: 42, createdAtMs: 1_750_000_000_000 }] });
export const groupsAnswer = z
  .object({
    groups: z.array(groupAnswer).describe('In an order of the node’s own that does not change'),
    next: z.string().optional().describe('`after` of the next page; absent on the last'),
  })
  .meta({ id: 'Groups' });
export const createdAnswer = z
  .object({ group: z.string(), created: z.boolean().describe('Whether this request created it') })
  .meta({ id: 'GroupCreated' });
export const membershipAnswer = z
  .object({
    results: z.array(
      z.object({
        device: z.string(),
        result: z
          .enum(['joined', 'already-member', 'left', 'not-member', 'offline', 'too-many-groups', 'unknown'])
          .describe('A device joins while it is online only; `unknown`: not answered in time, it may have happened'),
      }),
    ),
  })
  .meta({ id: 'Memberships' });

export const presenceAnswer = z
  .object({
    device: z.string(),
    online: z.boolean().describe('Whether it has a connection that was granted this business'),
    connectionId: z.string().optional(),
    uid: z.string().optional().describe('User id of its token'),
    sinceMs: z.int().optional().describe('When it connected, milliseconds since 1970'),
  })
  .meta({
    id: 'Presence',
    examples: [{ device: 'alice-phone', online: true, connectionId: 'c-1', sinceMs: 1_750_000_000_000 }],
  });
export const presencesAnswer = z
  .object({ devices: z.array(presenceAnswer).describe('In the order of the request') })
  .meta({ id: 'Presences' });
export const userPresenceAnswer = z
  .object({
    user: z.string(),
    online: z.boolean().describe('Whether there is at least one device'),
    devices: z.array(
      z.object({
        device: z.string(),
        connectionId: z.string(),
        sinceMs: z.int().describe('When it connected, milliseconds since 1970'),
      }),
    ),
  })
  .meta({ id: 'UserPresence' });
export const userPresencesAnswer = z
  .object({ users: z.array(userPresenceAnswer).describe('In the order of the request') })
  .meta({ id: 'UserPresences' });

const lineError = z
  .object({
    code: z.string(),
    detail: z.string(),
    errors: z.array(fieldErrorSchema).optional(),
  })
  .meta({ id: 'LineError', description: 'Why a line was not pushed; codes as in problems' });
export const bulkResult = z
  .object({
    index: z.int().min(0).optional().describe('Of the line, counted from 0 without empty ones; absent on a last line'),
    ref: z.string().optional(),
    messageId: z.string().optional(),
    result: deliveryShape.result.optional(),
    reason: deliveryShape.reason,
    results: z.array(deviceDelivery).optional().describe('Of `devices`'),
    devices: z.array(deviceDelivery).optional().describe('Of `user`'),
    offset: z.int().min(0).optional().describe('Of `group`, as are the next two'),
    members: z.int().min(0).optional(),
    unanswered: z.int().min(0).optional(),
    error: lineError.optional(),
  })
  .meta({ id: 'BulkResult', description: 'One line: what became of the line with this index' });

export const kickedAnswer = z
  .object({ kicked: z.boolean().describe('Whether there was a live grant to withdraw') })
  .meta({ id: 'Kicked' });
export const disconnectedAnswer = z
  .object({ disconnected: z.boolean().describe('Whether there was a connection to close') })
  .meta({ id: 'Disconnected' });
export type DeliveryAnswer = z.output<typeof unicastAnswer>;
