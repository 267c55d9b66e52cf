/**
 * The words of the bridge: what a back-end sends and gets. Requests are validated with these, the OpenAPI document is
 * generated from these, the handlers' types are inferred from these.
 *
 * @see docs/api.md
 */
import { z } from 'zod';
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

export const appParams = z.strictObject({ app: appName });
export const deviceParams = z.strictObject({ app: appName, device: deviceId });
export const groupParams = z.strictObject({ group: groupName });

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

const messageShape = {
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
  messageId: messageId.optional(),
  metadata: metadata.optional(),
};

interface Payloads {
  readonly payload?: string | undefined;
  readonly payloadBase64?: string | undefined;
}

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

export const devicesBody = z.strictObject({ devices }).meta({ id: 'Devices' });
export const membershipBody = z.strictObject({ app: appName, devices }).meta({ id: 'GroupMembers' });

const deliveryShape = {
  result: z
    .enum(['delivered', 'offline', 'dropped', 'unknown'])
    .describe(
      '`delivered`: the kernel took every byte. `offline`: no connection that was granted this business. `dropped`: removed ' +
        'from the queue before the kernel took it, `reason` says why. `unknown`: handed on and not answered in time, it may ' +
        'have arrived.',
    ),
  reason: z.enum(['slow', 'closed']).optional().describe('Why it was dropped; absent otherwise'),
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
      .describe('Access workers that did not answer in time; their members, not counted, may have got it'),
  })
  .meta({ id: 'GroupDelivery' });

export const groupAnswer = z
  .object({
    group: z.string(),
    members: z.int().min(0).describe('Connections that are members now'),
    createdAtMs: z.int().describe('Milliseconds since 1970'),
  })
  .meta({ id: 'Group', examples: [{ group: 'room-1', members: 42, createdAtMs: 1_750_000_000_000 }] });
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
export const kickedAnswer = z
  .object({ kicked: z.boolean().describe('Whether there was a live grant to withdraw') })
  .meta({ id: 'Kicked' });
export const disconnectedAnswer = z
  .object({ disconnected: z.boolean().describe('Whether there was a connection to close') })
  .meta({ id: 'Disconnected' });
export type DeliveryAnswer = z.output<typeof unicastAnswer>;
