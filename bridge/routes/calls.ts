/**
 * Calls: a business asks one device and waits for its answer. What the device says, or that it says nothing, is in the
 * body; the HTTP status is 200 whenever the request was understood.
 */
import { isUtf8 } from 'node:buffer';
import type { HttpApp } from '../../http/index.js';
import { statusName } from '../../protocol/index.js';
import { NO_METADATA, payloadOf } from '../message.js';
import { callAnswer, callBody, deviceParams } from '../schemas.js';
import { BUSINESS_KEY, notServed, overloaded, type RouteParts, withBody } from './families.js';

export function callRoutes(app: HttpApp, { routing, callers, messages }: RouteParts): void {
  app.route({
    method: 'POST',
    url: '/v1/apps/:app/devices/:device/call',
    schema: {
      operationId: 'callDevice',
      summary: 'Ask a device and wait for its answer',
      description:
        'The device gets a REQUEST. Closing the connection before the answer cancels the call. A device that is not ' +
        'online is status 14 UNAVAILABLE with metadata `trunkline-reason` = `offline`.',
      tags: ['devices'],
      security: BUSINESS_KEY,
      params: deviceParams,
      body: callBody,
      response: { 200: callAnswer.describe('What the device answered'), ...withBody, ...overloaded, ...notServed },
    },
    handler: async (request, reply) => {
      const { app, device } = request.params;
      const { method, metadata = NO_METADATA, deadlineMs } = request.body;
      const business = callers.businessFor(request.subject, app);
      const payload = payloadOf(request.body);
      messages.checkCall(business.id, method, metadata, payload);
      const aborter = new AbortController();
      reply.raw.once('close', () => aborter.abort());
      const { signal } = aborter;
      const call = { businessId: business.id, method, metadata, payload, deadlineMs, signal };
      const answer = await routing.call({ app, deviceId: device }, call);
      const { status } = answer;
      return { status, statusName: statusName(status), metadata: { ...answer.metadata }, ...payloadIn(answer.payload) };
    },
  });
}

function payloadIn(payload: Uint8Array): { payload: string } | { payloadBase64: string } {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  return isUtf8(bytes) ? { payload: bytes.toString('utf8') } : { payloadBase64: bytes.toString('base64') };
}
