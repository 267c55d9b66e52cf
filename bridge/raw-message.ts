/**
 * A message whose body is the payload itself (`application/octet-stream`): no base64 on either side. What a JSON body
 * has beside the payload stands in `trunkline-*` headers, metadata in the form that the webhook uses for it.
 *
 * @see docs/api.md, "Raw bodies"
 */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { type HttpApp, InvalidRequestError } from '../http/index.js';
import { decodeHeaderValue, META_PREFIX } from '../protocol/index.js';
import type { MessageFactory, MessageOptions } from './message.js';
import type { PushMessage } from './routing.js';
import { idempotencyKey, type MessageBody, messageBody, messageOptions } from './schemas.js';

export const RAW_MEDIA_TYPE = 'application/octet-stream';

const rawBody = z.instanceof(Uint8Array).meta({ description: 'What the device gets, byte for byte' });

/** The body of a route whose path says where the message goes. */
export const messageContent = {
  content: { 'application/json': { schema: messageBody }, [RAW_MEDIA_TYPE]: { schema: rawBody } },
} as const;

/** `idempotency-key` for every body, the others for a raw one. */
export const messageHeaders = z.object({
  'idempotency-key': idempotencyKey.optional(),
  'trunkline-message-id': z.string().optional().meta({ description: 'Raw body: `messageId`, percent-encoded' }),
  'trunkline-ttl-ms': z.string().optional().meta({ description: 'Raw body: `ttlMs`' }),
  'trunkline-priority': z.string().optional().meta({ description: 'Raw body: `priority`' }),
  'trunkline-droppable': z.string().optional().meta({ description: 'Raw body: `droppable`, `true` or `false`' }),
});

/** Routes of `scope` from here on may name `messageContent` as their body. */
export function takeRawBodies(scope: HttpApp, maxPayloadBytes: number): void {
  scope.addContentTypeParser(
    RAW_MEDIA_TYPE,
    { parseAs: 'buffer', bodyLimit: maxPayloadBytes },
    (_request, body: Buffer, done) => done(null, body),
  );
}

/**
 * @param body as `messageContent` let it pass
 * @throws {PayloadTooLargeError}
 * @throws {InvalidRequestError} a header is not in its form
 */
export function messageOf(
  messages: MessageFactory,
  businessId: number,
  body: MessageBody | Uint8Array,
  headers: IncomingHttpHeaders,
  group?: string,
): PushMessage {
  if (!(body instanceof Uint8Array)) return messages.create(businessId, body, group);
  return messages.createFrom(businessId, body, optionsOf(headers), group);
}

/** The options in the headers of a raw body, in one order. */
export function optionsOf(headers: IncomingHttpHeaders): MessageOptions {
  const ttl = text(headers, 'trunkline-ttl-ms');
  const droppable = text(headers, 'trunkline-droppable');
  const metadata = metadataOf(headers);
  const messageId = text(headers, 'trunkline-message-id');
  const priority = text(headers, 'trunkline-priority');
  const result = messageOptions.safeParse({
    ...(messageId === undefined ? {} : { messageId }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(ttl === undefined ? {} : { ttlMs: /^\d{1,10}$/.test(ttl) ? Number(ttl) : ttl }),
    ...(priority === undefined ? {} : { priority }),
    ...(droppable === undefined
      ? {}
      : { droppable: droppable === 'true' || (droppable === 'false' ? false : droppable) }),
  });
  if (result.success) return result.data;
  throw new InvalidRequestError(
    result.error.issues.map(({ path, message }) => ({ in: 'header', field: headerOf(path), detail: message })),
  );
}

function metadataOf(headers: IncomingHttpHeaders): Record<string, string> | undefined {
  const names = Object.keys(headers).filter((name) => name.startsWith(META_PREFIX));
  if (names.length === 0) return undefined;
  return Object.fromEntries(names.map((name) => [name.slice(META_PREFIX.length), text(headers, name) ?? '']));
}

/** @throws {InvalidRequestError} not percent-encoded UTF-8 */
function text(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined) return undefined;
  const decoded = decodeHeaderValue(String(value));
  if (decoded !== undefined) return decoded;
  throw new InvalidRequestError([{ in: 'header', field: name, detail: 'not percent-encoded UTF-8' }]);
}

const HEADER_NAMES: Readonly<Record<string, string>> = {
  messageId: 'trunkline-message-id',
  ttlMs: 'trunkline-ttl-ms',
  priority: 'trunkline-priority',
  droppable: 'trunkline-droppable',
};

function headerOf([field, key]: readonly PropertyKey[]): string {
  if (field === 'metadata') return META_PREFIX + String(key ?? '*');
  return HEADER_NAMES[String(field)] ?? String(field);
}
